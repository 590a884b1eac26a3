"""The contract of dim_products."""

from starschema_assets.contract import Column, Contract, Tracked

PRODUCT_LINE = Column(
    "productLine", "string", "Product line, spelled as in productlines, e.g. Vintage Cars."
)
PRICES = (
    Column("buyPrice", "decimal(10,2)", "Purchase price of one piece.", unit="USD"),
    Column("MSRP", "decimal(10,2)", "Suggested retail price of one piece.", unit="USD"),
)

CONTRACT = Contract(
    stage="star",
    table="dim_products",
    grain="one row per product",
    description="All products, including those never ordered.",
    key=("productCode",),
    columns=(
        Column("productCode", "string", "Code of the product."),
        Column("productName", "string", "Name of the product."),
        PRODUCT_LINE,
        Column("productScale", "string", "Scale of the model, e.g. 1:18."),
        Column("productVendor", "string", "Vendor of the model."),
        Column("productDescription", "string", "Description of the product."),
        Column(
            "productLineDescription", "string", "Description of its product line.", nullable=True
        ),
        *PRICES,
    ),
    sorted_by=("productCode",),
    tracked=Tracked("tracked_products", (PRODUCT_LINE, *PRICES)),
)
