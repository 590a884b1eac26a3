"""The contract of dim_stations."""

from starschema_assets.contract import Column, Contract

CONTRACT = Contract(
    stage="star",
    table="dim_stations",
    grain="one row per station",
    description="Where bikes are hired.",
    key=("station_code",),
    columns=(
        Column("station_code", "string", "Code of the station."),
        Column("station_name", "string", "Name of the station."),
        Column("district", "string", "Part of the town.", nullable=True),
    ),
    sorted_by=("station_code",),
)
