-- What the source itself says of its order lines: lines, pieces and USD for each year of orderDate.
-- Run by the source in the snapshot of the extraction, so it is written in what MySQL and DuckDB
-- share; sums travel as text, since they may have more digits than a float holds.
-- MySQL reads the comment after `select`: it then sorts the orders by year and adds up their lines
-- as it meets them, in three quarters of the time that a temporary table of sums takes it.
select /*! straight_join sql_big_result */
    coalesce(cast(extract(year from orders.orderDate) as char), '') as orderYear,
    cast(count(*) as char) as orderLines,
    cast(sum(orderdetails.quantityOrdered) as char) as quantityOrdered,
    cast(sum(orderdetails.quantityOrdered * orderdetails.priceEach) as char) as orderAmount
from orders
inner join orderdetails
    on orders.orderNumber = orderdetails.orderNumber
group by 1
