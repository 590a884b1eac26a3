-- Sales by month, in USD, including cancelled orders. Months without orders have no row.
select
    dim_dates.year,
    dim_dates.month,
    count(distinct fact_orders.orderNumber) as orders,
    sum(fact_orders.quantityOrdered) as pieces,
    sum(fact_orders.orderAmount) as sales
from fact_orders
inner join dim_dates
    on fact_orders.orderDate = dim_dates.date
group by dim_dates.year, dim_dates.month
order by dim_dates.year, dim_dates.month
