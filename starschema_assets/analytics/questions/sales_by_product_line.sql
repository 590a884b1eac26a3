-- Sales by product line, in USD, including cancelled orders.
select
    dim_products.productLine,
    count(distinct fact_orders.orderNumber) as orders,
    sum(fact_orders.quantityOrdered) as pieces,
    sum(fact_orders.orderAmount) as sales
from fact_orders
inner join dim_products
    on fact_orders.productCode = dim_products.productCode
group by dim_products.productLine
order by sales desc, dim_products.productLine
