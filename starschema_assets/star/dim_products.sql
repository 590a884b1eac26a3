-- One row per product, sold or not.
-- MySQL finds the product line of a product ignoring case and trailing spaces: so does this join,
-- where the exact name is missing and the folded one leaves no choice.
with folded_lines as (
    select
        lower(rtrim(productLine)) as foldedLine,
        min(productLine) as productLine
    from raw.productlines
    group by lower(rtrim(productLine))
    having count(*) = 1
),

product_lines as (
    select
        products.productCode,
        coalesce(exact.productLine, folded_lines.productLine) as productLine
    from raw.products as products
    left join raw.productlines as exact
        on products.productLine = exact.productLine
    left join folded_lines
        on lower(rtrim(products.productLine)) = folded_lines.foldedLine
)

select
    products.productCode,
    trim(products.productName) as productName,
    trim(coalesce(productlines.productLine, products.productLine)) as productLine,
    trim(products.productScale) as productScale,
    trim(products.productVendor) as productVendor,
    trim(products.productDescription) as productDescription,
    trim(productlines.textDescription) as productLineDescription
from raw.products as products
left join product_lines
    on products.productCode = product_lines.productCode
left join raw.productlines as productlines
    on product_lines.productLine = productlines.productLine
order by products.productCode
