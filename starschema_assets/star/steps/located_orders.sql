-- The orders, cleaned, with the location of their customer.
-- A step of fact_orders; it is not published itself.
select
    orders.orderNumber,
    orders.customerNumber,
    locations.locationKey,
    orders.orderDate,
    orders.requiredDate,
    orders.shippedDate,
    trim(orders.status) as status,
    orders.comments
from raw.orders as orders
left join star.customer_locations as locations
    on orders.customerNumber = locations.customerNumber
