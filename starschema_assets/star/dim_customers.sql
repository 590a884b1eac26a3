-- One row per customer, with or without orders.
select
    customerNumber,
    trim(customerName) as customerName,
    trim(contactLastName) as contactLastName,
    trim(contactFirstName) as contactFirstName,
    trim(phone) as phone,
    trim(addressLine1) as addressLine1,
    trim(addressLine2) as addressLine2,
    creditLimit
from raw.customers
order by customerNumber
