-- The orders, cleaned, with their customer's version and location on the day of the order.
-- A step of fact_orders. It is not published.
--
-- versionDate is the day on which versions are looked up: the order date. An order without a date,
-- or with a later one, gets 9999-12-30, which finds the current version (least ignores NULL).
with dated_orders as (
    select
        *,
        least(orderDate, date '9999-12-30') as versionDate
    from raw.orders
)

select
    orders.orderNumber,
    orders.customerNumber,
    customers.version as customerVersion,
    customers.locationKey,
    orders.orderDate,
    orders.requiredDate,
    orders.shippedDate,
    trim(orders.status) as status,
    orders.comments,
    orders.versionDate
from dated_orders as orders
left join star.dim_customers_history as customers
    on
        orders.customerNumber = customers.customerNumber
        and orders.versionDate >= customers.validFrom
        and orders.versionDate < customers.validTo
