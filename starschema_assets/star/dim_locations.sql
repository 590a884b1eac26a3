-- One row per distinct location that a customer has or had.
select distinct
    locationKey,
    postalCode,
    city,
    state,
    country
from star.dim_customers_history
order by country, state, city, postalCode
