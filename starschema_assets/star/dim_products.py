"""The contract of dim_products."""

from starschema_assets.contract import Column, Contract

CONTRACT = Contract(
    stage="star",
    table="dim_products",
    grain="one row per product",
    description="What is sold: every product, those never ordered included.",
    key=("productCode",),
    columns=(
        Column("productCode", "string", "Code of the product."),
        Column("productName", "string", "Name of the product."),
        Column(
            "productLine",
            "string",
            "Family of the product, spelled as in productlines, e.g. Vintage Cars.",
        ),
        Column("productScale", "string", "Scale of the model, e.g. 1:18."),
        Column("productVendor", "string", "Maker of the model."),
        Column("productDescription", "string", "Description of the product."),
        Column(
            "productLineDescription", "string", "Description of its product line.", nullable=True
        ),
    ),
    sorted_by=("productCode",),
)
