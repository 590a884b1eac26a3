-- What is remembered of each bike. A step of dim_bikes and its history; it is not published itself.
select
    bikes.maker,
    bikes.frame_no,
    bikes.hourly_price
from raw.bikes as bikes
