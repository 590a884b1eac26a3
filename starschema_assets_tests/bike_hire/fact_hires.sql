-- One row per hire, with the price of the bike on the day of the hire.
select
    hires.hire_no,
    hires.maker,
    hires.frame_no,
    bikes.version as bike_version,
    hires.station_code,
    hires.hired_on,
    hires.hired_hours,
    hires.kilometres,
    cast(hires.hired_hours * bikes.hourly_price as decimal(12, 5)) as takings
from raw.hires as hires
left join star.dim_bikes_history as bikes
    on
        hires.maker = bikes.maker
        and hires.frame_no = bikes.frame_no
        and hires.hired_on >= bikes.validFrom
        and hires.hired_on < bikes.validTo
order by hires.hired_on, hires.hire_no
