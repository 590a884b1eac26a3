"""The contract of dim_bikes."""

from starschema_assets.contract import Column, Contract, Rule, Tracked

HOURLY_PRICE = Column("hourly_price", "decimal(6,2)", "Price of an hour.", unit="EUR")

CONTRACT = Contract(
    stage="star",
    table="dim_bikes",
    grain="one row per bike",
    description="The bikes for hire, with today's price.",
    key=("maker", "frame_no"),
    columns=(
        Column("maker", "string", "Name of the maker."),
        Column("frame_no", "bigint", "Number of the frame."),
        Column("home_country", "string", "Code of the maker's country."),
        Column("bike_kind", "string", "Kind of bike."),
        HOURLY_PRICE,
    ),
    rules=(Rule("price_positive", "hourly_price > 0", "Every price is above zero."),),
    sorted_by=("maker", "frame_no"),
    tracked=Tracked("tracked_bikes", (HOURLY_PRICE,)),
)
