"""The contracts of the eight raw tables.

Columns of the source that aren't listed here are copied to raw as well.
"""

from starschema_assets.contract import Column, Contract

CUSTOMERS = Contract(
    stage="raw",
    table="customers",
    grain="one row per customer",
    description="Business customers, including those without orders.",
    key=("customerNumber",),
    columns=(
        Column("customerNumber", "int", "Number of the customer."),
        Column("customerName", "string", "Name of the business."),
        Column("contactLastName", "string", "Last name of the contact.", personal=True),
        Column("contactFirstName", "string", "First name of the contact.", personal=True),
        Column("phone", "string", "Telephone number of the contact.", personal=True),
        Column("addressLine1", "string", "Street and house number.", personal=True),
        Column("addressLine2", "string", "Rest of the address.", nullable=True, personal=True),
        Column("city", "string", "City.", grouped=True),
        Column("state", "string", "State or region.", nullable=True, grouped=True),
        Column("postalCode", "string", "Postal code. Cities may share one.", nullable=True),
        Column("country", "string", "Country as entered; may end with spaces.", grouped=True),
        Column("salesRepEmployeeNumber", "int", "Sales representative.", nullable=True),
        Column("creditLimit", "decimal(10,2)", "Credit limit.", nullable=True, unit="USD"),
    ),
)

EMPLOYEES = Contract(
    stage="raw",
    table="employees",
    grain="one row per employee",
    description="Employees of the retailer.",
    key=("employeeNumber",),
    columns=(
        Column("employeeNumber", "int", "Number of the employee."),
        Column("lastName", "string", "Last name.", personal=True),
        Column("firstName", "string", "First name.", personal=True),
        Column("extension", "string", "Telephone extension.", personal=True),
        Column("email", "string", "E-mail address.", personal=True),
        Column("officeCode", "string", "Office where the employee works."),
        Column("reportsTo", "int", "Number of the manager; NULL for the head.", nullable=True),
        Column("jobTitle", "string", "Job title.", grouped=True),
    ),
)

OFFICES = Contract(
    stage="raw",
    table="offices",
    grain="one row per office",
    description="Sales offices of the retailer.",
    key=("officeCode",),
    columns=(
        Column("officeCode", "string", "Code of the office."),
        Column("city", "string", "City.", grouped=True),
        Column("phone", "string", "Telephone number of the office."),
        Column("addressLine1", "string", "Street and house number."),
        Column("addressLine2", "string", "Rest of the address.", nullable=True),
        Column("state", "string", "State or region.", nullable=True, grouped=True),
        Column("country", "string", "Country.", grouped=True),
        Column("postalCode", "string", "Postal code."),
        Column("territory", "string", "Sales territory, e.g. EMEA.", grouped=True),
    ),
)

ORDERDETAILS = Contract(
    stage="raw",
    table="orderdetails",
    grain="one row per order line",
    description="Order lines: product, quantity and price.",
    key=("orderNumber", "productCode"),
    columns=(
        Column("orderNumber", "int", "Order to which the line belongs."),
        Column("productCode", "string", "Product. Its letter case may differ from products."),
        Column("quantityOrdered", "int", "Quantity.", unit="pieces"),
        Column("priceEach", "decimal(10,2)", "Price of one piece in this order.", unit="USD"),
        Column("orderLineNumber", "smallint", "Position of the line in its order."),
    ),
)

ORDERS = Contract(
    stage="raw",
    table="orders",
    grain="one row per order",
    description="Orders in every state, including cancelled ones.",
    key=("orderNumber",),
    columns=(
        Column("orderNumber", "int", "Number of the order."),
        Column("orderDate", "date", "Day of the order."),
        Column("requiredDate", "date", "Day by which the customer wants it."),
        Column("shippedDate", "date", "Day of shipping; NULL before.", nullable=True),
        Column("status", "string", "State of the order, e.g. Shipped.", grouped=True),
        Column("comments", "string", "Free text.", nullable=True, personal=True),
        Column("customerNumber", "int", "Customer who ordered."),
    ),
)

PAYMENTS = Contract(
    stage="raw",
    table="payments",
    grain="one row per payment",
    description="Payments by cheque.",
    key=("customerNumber", "checkNumber"),
    columns=(
        Column("customerNumber", "int", "Customer who paid."),
        Column("checkNumber", "string", "Number of the cheque.", personal=True),
        Column("paymentDate", "date", "Day of the payment."),
        Column("amount", "decimal(10,2)", "Amount paid.", unit="USD"),
    ),
)

PRODUCTLINES = Contract(
    stage="raw",
    table="productlines",
    grain="one row per product line",
    description="Groups of products, e.g. Vintage Cars.",
    key=("productLine",),
    columns=(
        Column("productLine", "string", "Name of the product line."),
        Column("textDescription", "string", "Description as plain text.", nullable=True),
        Column("htmlDescription", "string", "Description as HTML.", nullable=True),
        Column("image", "binary", "Picture.", nullable=True),
    ),
)

PRODUCTS = Contract(
    stage="raw",
    table="products",
    grain="one row per product",
    description="Scale models on offer, including those never sold.",
    key=("productCode",),
    columns=(
        Column("productCode", "string", "Code of the product."),
        Column("productName", "string", "Name of the product."),
        Column("productLine", "string", "Product line to which it belongs.", grouped=True),
        Column("productScale", "string", "Scale of the model, e.g. 1:18.", grouped=True),
        Column("productVendor", "string", "Vendor of the model.", grouped=True),
        Column("productDescription", "string", "Description as plain text."),
        Column("quantityInStock", "smallint", "Quantity in stock.", unit="pieces"),
        Column("buyPrice", "decimal(10,2)", "Purchase price from the vendor.", unit="USD"),
        Column("MSRP", "decimal(10,2)", "Manufacturer's suggested retail price.", unit="USD"),
    ),
)

CONTRACTS = (
    CUSTOMERS,
    EMPLOYEES,
    OFFICES,
    ORDERDETAILS,
    ORDERS,
    PAYMENTS,
    PRODUCTLINES,
    PRODUCTS,
)
