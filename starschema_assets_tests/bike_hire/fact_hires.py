"""The contract of fact_hires."""

from starschema_assets.contract import Column, Contract, ForeignKey, Reconciliation, Rule, Sum

CONTRACT = Contract(
    stage="star",
    table="fact_hires",
    grain="one row per hire",
    description="Which bike was hired where, when, for how long and for how much.",
    key=("hire_no",),
    columns=(
        Column("hire_no", "bigint", "Number of the hire."),
        Column("maker", "string", "Maker of the bike."),
        Column("frame_no", "bigint", "Frame number of the bike."),
        Column("bike_version", "int", "Version of the bike on the day of the hire."),
        Column("station_code", "string", "Where it was hired."),
        Column("hired_on", "date", "First day of the hire."),
        Column("hired_hours", "decimal(7,3)", "How long.", unit="hours"),
        Column("kilometres", "decimal(9,1)", "Distance, if measured.", nullable=True, unit="km"),
        Column("takings", "decimal(12,5)", "hired_hours × price of that day.", unit="EUR"),
    ),
    foreign_keys=(
        ForeignKey(("maker", "frame_no"), "dim_bikes"),
        ForeignKey(("maker", "frame_no", "bike_version"), "dim_bikes_history", "hired_on"),
        ForeignKey(("station_code",), "dim_stations"),
    ),
    rules=(Rule("hours_positive", "hired_hours > 0", "A hire takes time."),),
    sorted_by=("hired_on", "hire_no"),
    reconciliation=Reconciliation(
        table="hires",
        sums=(
            Sum("count(*)", "count(*)", "bigint", "hires"),
            Sum("sum(hired_hours)", "sum(hired_hours)", "decimal(38,3)", "hours"),
            Sum("sum(kilometres)", "sum(kilometres)", "decimal(38,1)", "km"),
        ),
        group="station_code",
        group_name="station",
    ),
)
