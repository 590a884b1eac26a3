"""The contract of dim_dates."""

from starschema_assets.contract import Column, Contract, Rule

CONTRACT = Contract(
    stage="star",
    table="dim_dates",
    grain="one row per day",
    description="Calendar of whole years that cover all dates of fact_orders. "
    "Weeks and weekdays follow ISO 8601.",
    key=("date",),
    columns=(
        Column("date", "date", "The day."),
        Column("year", "int", "Calendar year."),
        Column("quarter", "int", "Quarter of the year, 1 to 4."),
        Column("month", "int", "Month of the year, 1 to 12."),
        Column("monthName", "string", "Name of the month in English."),
        Column("day", "int", "Day of the month, 1 to 31."),
        Column("weekday", "int", "Day of the week, Monday 1 to Sunday 7."),
        Column("weekdayName", "string", "Name of the weekday in English."),
        Column("isoWeek", "int", "ISO week, 1 to 53; may belong to the year before or after."),
        Column("isWeekend", "boolean", "True on Saturday and Sunday."),
    ),
    rules=(Rule("weekday_in_week", "weekday between 1 and 7", "A weekday is 1 to 7."),),
    sorted_by=("date",),
)
