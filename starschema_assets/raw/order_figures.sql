-- What the source itself says of its order lines: lines, pieces and USD for each year of orderDate.
-- Run by the source in the snapshot of the extraction, so it is written in what MySQL and DuckDB
-- share. Lines are summed up by order first, in the order of their primary key, which spares the
-- server a look-up a line; sums travel as text, since they may have more digits than a float holds.
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
