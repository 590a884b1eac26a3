-- One row per customer, with or without orders, with current values.
select
    customers.customerNumber,
    trim(customers.customerName) as customerName,
    trim(customers.contactLastName) as contactLastName,
    trim(customers.contactFirstName) as contactFirstName,
    trim(customers.phone) as phone,
    trim(customers.addressLine1) as addressLine1,
    trim(customers.addressLine2) as addressLine2,
    tracked.locationKey,
    customers.creditLimit,
    customers.salesRepEmployeeNumber
from raw.customers as customers
left join star.tracked_customers as tracked
    on customers.customerNumber = tracked.customerNumber
order by customers.customerNumber
