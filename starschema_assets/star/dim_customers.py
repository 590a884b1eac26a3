"""The contract of dim_customers."""

from starschema_assets.contract import Column, Contract, ForeignKey, Rule, Tracked

LOCATION_KEY = Column("locationKey", "string", "Location.")
CREDIT_LIMIT = Column("creditLimit", "decimal(10,2)", "Credit limit.", nullable=True, unit="USD")
SALES_REP = Column("salesRepEmployeeNumber", "int", "Sales representative.", nullable=True)

CONTRACT = Contract(
    stage="star",
    table="dim_customers",
    grain="one row per customer",
    description="All customers, including those without orders.",
    key=("customerNumber",),
    columns=(
        Column("customerNumber", "int", "Number of the customer."),
        Column("customerName", "string", "Name of the business."),
        Column("contactLastName", "string", "Last name of the contact.", personal=True),
        Column("contactFirstName", "string", "First name of the contact.", personal=True),
        Column("phone", "string", "Telephone number of the contact.", personal=True),
        Column("addressLine1", "string", "Street and house number.", personal=True),
        Column("addressLine2", "string", "Rest of the address.", nullable=True, personal=True),
        LOCATION_KEY,
        CREDIT_LIMIT,
        SALES_REP,
    ),
    foreign_keys=(ForeignKey(("locationKey",), "dim_locations"),),
    rules=(
        Rule("creditLimit_not_negative", "creditLimit >= 0", "A credit limit is not negative."),
    ),
    sorted_by=("customerNumber",),
    tracked=Tracked(
        "tracked_customers",
        (
            Column("postalCode", "string", "Postal code.", nullable=True),
            Column("city", "string", "City."),
            Column("state", "string", "State or region.", nullable=True),
            Column("country", "string", "Country."),
            LOCATION_KEY,
            CREDIT_LIMIT,
            SALES_REP,
        ),
    ),
)
