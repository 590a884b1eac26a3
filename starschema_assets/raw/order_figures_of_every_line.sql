-- Lines, pieces and USD for each year of orderDate, where orders are not numbered by year, or where
-- some lines have no order: those are of no year.
-- Lines are summed up by order first, in the order of their primary key, which spares the server a
-- look-up a line.
with by_order as (
    select
        orderNumber,
        count(*) as orderLines,
        sum(quantityOrdered) as quantityOrdered,
        sum(quantityOrdered * priceEach) as orderAmount
    from orderdetails
    group by orderNumber
)

select
    coalesce(cast(extract(year from orders.orderDate) as char), '') as orderYear,
    cast(sum(by_order.orderLines) as char) as orderLines,
    cast(sum(by_order.quantityOrdered) as char) as quantityOrdered,
    cast(sum(by_order.orderAmount) as char) as orderAmount
from by_order
left join orders
    on by_order.orderNumber = orders.orderNumber
group by 1
