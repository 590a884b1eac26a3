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
"""What an order line is worth: what the rows and the source are compared with."""

CONTRACT = Contract(
    stage="star",
    table="fact_orders",
    grain="one row per order line",
    description="What was ordered, by whom, from where, when and for how much: orders in every "
    "state, the cancelled ones included, so filter on status where that matters.",
    key=("orderNumber", "orderLineNumber"),
    columns=(
        Column("orderNumber", "int", "Number of the order."),
        Column("orderLineNumber", "smallint", "Position of the line in its order."),
        Column("customerNumber", "int", "Customer who ordered."),
        Column("customerVersion", "int", "Version of the customer on the day of the order."),
        Column("productCode", "string", "Product ordered, spelled as in dim_products."),
        Column("productVersion", "int", "Version of the product on the day of the order."),
        Column("locationKey", "string", "Location of the customer on the day of the order."),
        Column("orderDate", "date", "Day of the order."),
        Column("requiredDate", "date", "Day by which the customer wants it."),
        Column("shippedDate", "date", "Day of shipping; NULL until then.", nullable=True),
        Column("status", "string", "State of the order, e.g. Shipped."),
        Column("comments", "string", "Free text of the order.", nullable=True, personal=True),
        Column("quantityOrdered", "int", "Quantity.", unit="pieces"),
        Column("priceEach", "decimal(10,2)", "Price of one piece in this order.", unit="USD"),
        Column("orderAmount", "decimal(20,2)", "quantityOrdered × priceEach.", unit="USD"),
        Column("buyPrice", "decimal(10,2)", "Price paid to the vendor for one, then.", unit="USD"),
        Column("MSRP", "decimal(10,2)", "Suggested retail price of one, then.", unit="USD"),
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
            "An amount is the quantity times the price, to the cent.",
        ),
        Rule(
            "required_after_order",
            "requiredDate >= orderDate",
            "An order is not required before it was placed.",
            warning=True,
        ),
        Rule(
            "shipped_after_order",
            "shippedDate >= orderDate",
            "An order is not shipped before it was placed.",
            warning=True,
        ),
        Rule(
            "status_known",
            "status in ('Cancelled', 'Disputed', 'In Process', 'On Hold', 'Resolved', 'Shipped')",
            "A status is one of those that the business uses.",
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
