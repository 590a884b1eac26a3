-- The order lines with the largest quantity of each product line, including cancelled orders.
with ranked as (
    select
        dim_products.productLine,
        fact_orders.quantityOrdered,
        dim_products.productCode,
        dim_products.productName,
        fact_orders.orderNumber,
        fact_orders.orderDate,
        rank() over (
            partition by dim_products.productLine
            order by fact_orders.quantityOrdered desc
        ) as place
    from fact_orders
    inner join dim_products
        on fact_orders.productCode = dim_products.productCode
)

select
    productLine,
    quantityOrdered,
    productCode,
    productName,
    orderNumber,
    orderDate
from ranked
where place = 1
order by quantityOrdered desc, productLine, orderNumber, productCode
