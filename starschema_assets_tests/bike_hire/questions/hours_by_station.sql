-- How long bikes were hired at each station, and for how much, in EUR.
select
    dim_stations.station_name,
    count(*) as hires,
    sum(fact_hires.hired_hours) as hours,
    sum(fact_hires.takings) as takings
from fact_hires
inner join dim_stations
    on fact_hires.station_code = dim_stations.station_code
group by dim_stations.station_name
order by hours desc, dim_stations.station_name
