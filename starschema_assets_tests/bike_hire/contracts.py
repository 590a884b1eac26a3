"""The raw tables of a hire of bikes."""

from starschema_assets.contract import Column, Contract

STATIONS = Contract(
    stage="raw",
    table="stations",
    grain="one row per station",
    description="Where bikes are hired.",
    key=("station_code",),
    columns=(
        Column("station_code", "string", "Code of the station."),
        Column("station_name", "string", "Name of the station."),
        Column("district", "string", "Part of the town.", nullable=True, grouped=True),
    ),
)

MAKERS = Contract(
    stage="raw",
    table="makers",
    grain="one row per maker",
    description="Who makes bikes.",
    key=("maker",),
    columns=(
        Column("maker", "string", "Name of the maker."),
        Column("home_country", "string", "Code of the maker's country."),
    ),
)

BIKES = Contract(
    stage="raw",
    table="bikes",
    grain="one row per bike",
    description="Bikes for hire.",
    key=("maker", "frame_no"),
    columns=(
        Column("maker", "string", "Name of the maker."),
        Column("frame_no", "bigint", "Number of the frame: each maker has its own numbers."),
        Column("bike_kind", "string", "Kind of bike."),
        Column("hourly_price", "decimal(6,2)", "Price of an hour.", unit="EUR"),
    ),
)

HIRES = Contract(
    stage="raw",
    table="hires",
    grain="one row per hire",
    description="Each hire of a bike, once it is back.",
    key=("hire_no",),
    columns=(
        Column("hire_no", "bigint", "Number of the hire."),
        Column("maker", "string", "Maker of the bike."),
        Column("frame_no", "bigint", "Frame of the bike."),
        Column("station_code", "string", "Where it was hired."),
        Column("hired_on", "date", "First day of the hire."),
        Column("hired_hours", "decimal(7,3)", "How long.", unit="hours"),
        Column("kilometres", "decimal(9,1)", "How far, if it counts.", nullable=True, unit="km"),
    ),
)

CONTRACTS = (STATIONS, MAKERS, BIKES, HIRES)
