-- The orders, cleaned, with their customer's version and location on the day of the order.
-- A step of fact_orders; it is not published itself.
--
-- versionDate is the day whose versions hold: the order's, or today's for an order without a day
-- or dated to the end of the calendar (least passes over NULL).
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
