-- One row per bike, with its price of today.
select
    bikes.maker,
    bikes.frame_no,
    makers.home_country,
    bikes.bike_kind,
    bikes.hourly_price
from raw.bikes as bikes
left join raw.makers as makers
    on bikes.maker = makers.maker
order by bikes.maker, bikes.frame_no
