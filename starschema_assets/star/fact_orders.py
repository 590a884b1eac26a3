"""The contract of fact_orders."""

from starschema_assets.contract import (
    Column,
    Contract,
    ForeignKey,
    Newest,
    Reconciliation,
    Rule,
    Sum,
)

AMOUNT = "quantityOrdered * cast(priceEach as decimal(20,2))"
"""Amount of an order line, for the check of each row and the reconciliation with the source."""

CONTRACT = Contract(
    stage="star",
    table="fact_orders",
    grain="one row per order line",
    description="Order lines with customer, product, location, dates and amount. Orders of every "
    "state are included, also cancelled ones: filter on status where that matters.",
    key=("orderNumber", "orderLineNumber"),
    columns=(
        Column("orderNumber", "int", "Number of the order."),
        Column("orderLineNumber", "smallint", "Position of the line in its order."),
        Column("customerNumber", "int", "Customer who ordered."),
        Column("customerVersion", "int", "Customer's version on the day of the order."),
        Column("productCode", "string", "Product ordered, spelled as in dim_products."),
        Column("productVersion", "int", "Product's version on the day of the order."),
        Column("locationKey", "string", "Customer's location on the day of the order."),
        Column("orderDate", "date", "Day of the order."),
        Column("requiredDate", "date", "Day by which the customer wants it."),
        Column("shippedDate", "date", "Day of shipping; NULL before.", nullable=True),
        Column("status", "string", "State of the order, e.g. Shipped."),
        Column("comments", "string", "Free text of the order.", nullable=True, personal=True),
        Column("quantityOrdered", "int", "Quantity.", unit="pieces"),
        Column("priceEach", "decimal(10,2)", "Price of one piece in this order.", unit="USD"),
        Column("orderAmount", "decimal(20,2)", "quantityOrdered × priceEach.", unit="USD"),
        Column("buyPrice", "decimal(10,2)", "Purchase price on the day of the order.", unit="USD"),
        Column("MSRP", "decimal(10,2)", "Suggested retail price on that day.", unit="USD"),
    ),
    foreign_keys=(
        ForeignKey(("customerNumber",), "dim_customers"),
        ForeignKey(("productCode",), "dim_products"),
        ForeignKey(("customerNumber", "customerVersion"), "dim_customers_history", "orderDate"),
        ForeignKey(("productCode", "productVersion"), "dim_products_history", "orderDate"),
        ForeignKey(("locationKey",), "dim_locations"),
        ForeignKey(("orderDate",), "dim_dates"),
        ForeignKey(("requiredDate",), "dim_dates"),
        ForeignKey(("shippedDate",), "dim_dates"),
    ),
    rules=(
        Rule("quantityOrdered_positive", "quantityOrdered > 0", "A quantity is positive."),
        Rule("priceEach_not_negative", "priceEach >= 0", "A price is not negative."),
        Rule(
            "orderAmount_is_product",
            f"orderAmount = {AMOUNT}",
            "The amount is the quantity times the price, to the cent.",
        ),
        Rule(
            "required_after_order",
            "requiredDate >= orderDate",
            "The required date is not before the order date.",
            warning=True,
        ),
        Rule(
            "shipped_after_order",
            "shippedDate >= orderDate",
            "The shipping date is not before the order date.",
            warning=True,
        ),
        Rule(
            "status_known",
            "status in ('Cancelled', 'Disputed', 'In Process', 'On Hold', 'Resolved', 'Shipped')",
            "The status is one of the known ones.",
            warning=True,
        ),
    ),
    sorted_by=("orderDate", "orderNumber", "orderLineNumber"),
    reconciliation=Reconciliation(
        table="orderdetails",
        sums=(
            Sum("count(*)", "count(*)", "bigint", "lines"),
            Sum("sum(quantityOrdered)", "sum(quantityOrdered)", "bigint", "pieces"),
            Sum(f"sum({AMOUNT})", "sum(orderAmount)", "decimal(38,2)", "USD"),
        ),
        group="extract(year from orderDate)",
        group_name="year",
        group_table="orders",
        group_key="orderNumber",
        entry="order_figures",
    ),
    newest=Newest("newest_order", "orderDate"),
)
