-- What is remembered of each product, as of today.
-- A step of the history of dim_products; it is not published itself.
select
    products.productCode,
    trim(product_lines.productLine) as productLine,
    products.buyPrice,
    products.MSRP
from raw.products as products
left join star.product_lines as product_lines
    on products.productCode = product_lines.productCode
