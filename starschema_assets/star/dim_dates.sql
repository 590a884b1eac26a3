-- One row per day of every year in which an order was placed, due or shipped.
with bounds as (
    select
        least(min(orderDate), min(requiredDate), min(shippedDate)) as firstDate,
        greatest(max(orderDate), max(requiredDate), max(shippedDate)) as lastDate
    from raw.orders
),

days as (
    select
        unnest(
            generate_series(
                make_date(cast(extract(year from firstDate) as int), 1, 1),
                make_date(cast(extract(year from lastDate) as int), 12, 31),
                interval 1 day
            )
        ) as day
    from bounds
),

dates as (
    select
        cast(day as date) as date,
        cast(
            date_diff('day', cast(date_trunc('week', day) as date), cast(day as date)) + 1 as int
        ) as weekday
    from days
)

select
    date,
    cast(extract(year from date) as int) as year,
    cast(extract(quarter from date) as int) as quarter,
    cast(extract(month from date) as int) as month,
    strftime(date, '%B') as monthName,
    cast(extract(day from date) as int) as day,
    weekday,
    strftime(date, '%A') as weekdayName,
    cast(extract(week from date) as int) as isoWeek,
    weekday >= 6 as isWeekend
from dates
order by date
