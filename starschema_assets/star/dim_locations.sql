-- One row per distinct location of a customer.
select distinct
    locationKey,
    postalCode,
    city,
    state,
    country
from star.customer_locations
order by country, state, city, postalCode
