"""The contract of dim_locations."""

from starschema_assets.contract import Column, Contract

CONTRACT = Contract(
    stage="star",
    table="dim_locations",
    grain="one row per distinct location that a customer has or had",
    description="Current and former locations of customers. The postal code alone isn't a key: "
    "cities may share one, and some customers have none.",
    key=("locationKey",),
    columns=(
        Column(
            "locationKey",
            "string",
            "Surrogate key, the same in every run and engine: 32 hexadecimal digits, the md5 of "
            "the md5s of postalCode, city, state and country, joined by '|', with '-' for NULL.",
        ),
        Column("postalCode", "string", "Postal code.", nullable=True),
        Column("city", "string", "City."),
        Column("state", "string", "State or region.", nullable=True),
        Column("country", "string", "Country."),
    ),
)
