-- What the source itself says of the lines of a year's orders, which are numbered from `first` to
-- `last`: lines, pieces and USD.
-- Run by the source in the snapshot of the extraction, so it is written in what MySQL and DuckDB
-- share; sums travel as text, since they may have more digits than a float holds.
-- To join the lines with their orders takes a server twice as long.
select
    cast(count(*) as char) as orderLines,
    coalesce(cast(sum(quantityOrdered) as char), '0') as quantityOrdered,
    coalesce(cast(sum(quantityOrdered * priceEach) as char), '0') as orderAmount
from orderdetails
where orderNumber between {first} and {last}
