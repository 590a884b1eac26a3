-- One row per product, sold or not, with its current product line and prices.
select
    products.productCode,
    trim(products.productName) as productName,
    trim(product_lines.productLine) as productLine,
    trim(products.productScale) as productScale,
    trim(products.productVendor) as productVendor,
    trim(products.productDescription) as productDescription,
    trim(productlines.textDescription) as productLineDescription,
    products.buyPrice,
    products.MSRP
from raw.products as products
left join star.product_lines as product_lines
    on products.productCode = product_lines.productCode
left join raw.productlines as productlines
    on product_lines.productLine = productlines.productLine
order by products.productCode
