-- The current values of each product whose history is kept.
-- A step of the history of dim_products. It is not published.
select
    products.productCode,
    trim(product_lines.productLine) as productLine,
    products.buyPrice,
    products.MSRP
from raw.products as products
left join star.product_lines as product_lines
    on products.productCode = product_lines.productCode
