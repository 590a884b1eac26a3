-- The product line of each product, spelled as in productlines.
-- A step that dim_products and tracked_products share; it is not published itself.
--
-- MySQL finds the product line of a product ignoring case and trailing spaces: so does this join,
-- where the exact name is missing and the folded one leaves no choice.
with folded_lines as (
    select
        lower(rtrim(productLine)) as foldedLine,
        min(productLine) as productLine
    from raw.productlines
    group by lower(rtrim(productLine))
    having count(*) = 1
)

select
    products.productCode,
    coalesce(exact.productLine, folded_lines.productLine, products.productLine) as productLine
from raw.products as products
left join raw.productlines as exact
    on products.productLine = exact.productLine
left join folded_lines
    on lower(rtrim(products.productLine)) = folded_lines.foldedLine
