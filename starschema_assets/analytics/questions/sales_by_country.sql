-- Sales by the customers' country on the day of the order, in USD, including cancelled orders.
select
    dim_locations.country,
    count(distinct fact_orders.orderNumber) as orders,
    sum(fact_orders.quantityOrdered) as pieces,
    sum(fact_orders.orderAmount) as sales
from fact_orders
inner join dim_locations
    on fact_orders.locationKey = dim_locations.locationKey
group by dim_locations.country
order by sales desc, dim_locations.country
