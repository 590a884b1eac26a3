-- Sales by the customers' current country, in USD, including cancelled orders.
-- All orders of a customer count for the current country; in sales_by_country each order counts for
-- the country on its day.
select
    dim_locations.country,
    count(distinct fact_orders.orderNumber) as orders,
    sum(fact_orders.quantityOrdered) as pieces,
    sum(fact_orders.orderAmount) as sales
from fact_orders
inner join dim_customers
    on fact_orders.customerNumber = dim_customers.customerNumber
inner join dim_locations
    on dim_customers.locationKey = dim_locations.locationKey
group by dim_locations.country
order by sales desc, dim_locations.country
