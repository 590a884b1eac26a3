-- What the source itself says of its order lines: rows, pieces and USD for each year of orderDate.
-- Run by the source in the snapshot of the extraction, so it is written in what MySQL and DuckDB
-- share; sums travel as text, since they may have more digits than a float holds.
select
    coalesce(cast(extract(year from o.orderDate) as char), '') as orderYear,
    count(*) as orderLines,
    cast(sum(d.quantityOrdered) as char) as quantityOrdered,
    cast(sum(d.quantityOrdered * d.priceEach) as char) as orderAmount
from orderdetails as d
left join orders as o on o.orderNumber = d.orderNumber
group by 1
