-- One row per station.
select
    station_code,
    station_name,
    district
from raw.stations
order by station_code
