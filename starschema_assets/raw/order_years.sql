-- The years of orderDate, each with its first and its last order.
-- Run by the source, as order_figures.sql is.
select
    coalesce(cast(extract(year from orderDate) as char), '') as orderYear,
    min(orderNumber) as firstOrder,
    max(orderNumber) as lastOrder
from orders
group by 1
order by 2
