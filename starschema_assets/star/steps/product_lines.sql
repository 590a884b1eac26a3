-- The product line of each product, spelled as in productlines.
-- A step of dim_products and tracked_products. It is not published.
--
-- MySQL ignores case and trailing spaces when it joins on the name. This step does the same if the
-- exact name doesn't exist and the folded name is unique.
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
