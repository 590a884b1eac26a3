-- The ten customers with the largest sales, in USD, including cancelled orders.
select
    dim_customers.customerNumber,
    dim_customers.customerName,
    count(distinct fact_orders.orderNumber) as orders,
    max(fact_orders.orderDate) as lastOrder,
    sum(fact_orders.orderAmount) as sales
from fact_orders
inner join dim_customers
    on fact_orders.customerNumber = dim_customers.customerNumber
group by dim_customers.customerNumber, dim_customers.customerName
order by sales desc, dim_customers.customerNumber
limit 10
