-- How long each kind of bike was hired.
select
    dim_bikes.bike_kind,
    sum(fact_hires.hired_hours) as hours
from fact_hires
inner join dim_bikes
    on fact_hires.maker = dim_bikes.maker and fact_hires.frame_no = dim_bikes.frame_no
group by dim_bikes.bike_kind
order by hours desc, dim_bikes.bike_kind
