"""A typical Glue job on Spark local[2]: reads five tables by JDBC and writes four star tables.

Like public jobs of this kind, it uses postalCode as the key of a location. So an order line is
duplicated if several cities share the customer's postal code, and lost if the customer has none. It
compares product codes exactly, not like the source's collation. With `--same-rows` it writes each
order line once, so that files with the same rows can be compared.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.sql import DataFrame, SparkSession

DRIVER = "/usr/share/java/mariadb-java-client.jar"
TABLES = ["customers", "orderdetails", "orders", "productlines", "products"]
FETCHED_ROWS = "1000"  # Glue's own default

DIM_CUSTOMERS = """
    select distinct customerNumber, customerName, contactLastName, contactFirstName, phone,
        addressLine1, addressLine2, creditLimit
    from customers
"""
DIM_PRODUCTS = """
    select productCode, productName, products.productLine, productScale, productVendor,
        productDescription, textDescription as productLineDescription
    from products left join productlines on products.productLine = productlines.productLine
"""
DIM_LOCATIONS = "select distinct postalCode, city, state, country from customers"
FACT_ORDERS = """
    select orders.orderNumber, orderLineNumber, customers.customerNumber, lines.productCode,
        customers.postalCode, orderDate, requiredDate, shippedDate, status, comments,
        quantityOrdered, priceEach, quantityOrdered * priceEach as orderAmount, buyPrice, MSRP
    from orderdetails as lines
    join orders on lines.orderNumber = orders.orderNumber
    join customers on orders.customerNumber = customers.customerNumber
"""
AS_USUAL = """
    join products on lines.productCode = products.productCode
    join dim_locations on customers.postalCode = dim_locations.postalCode
"""
SAME_ROWS = "left join products on upper(lines.productCode) = upper(products.productCode)"


def main(url: str, folder: Path, fact_joins: str) -> None:
    """Run the job once."""
    if not Path(DRIVER).exists():
        sys.exit(f"{DRIVER} is missing: apt-get install libmariadb-java")
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", DRIVER)
        .config("spark.driver.memory", "2g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - Spark's own
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    for table in TABLES:
        read(spark, url, table).createOrReplaceTempView(table)
    star = {
        "dim_customers": spark.sql(DIM_CUSTOMERS),
        "dim_products": spark.sql(DIM_PRODUCTS),
        "dim_locations": spark.sql(DIM_LOCATIONS),
    }
    star["dim_locations"].createOrReplaceTempView("dim_locations")
    star["fact_orders"] = spark.sql(FACT_ORDERS + fact_joins)
    for table, rows in star.items():
        rows.write.mode("overwrite").parquet(f"{folder}/star/{table}")
    spark.stop()


def read(spark: SparkSession, url: str, table: str) -> DataFrame:
    """Read one table of the database through one connection."""
    source = urlsplit(url)
    return (
        spark.read.format("jdbc")
        .option("driver", "org.mariadb.jdbc.Driver")
        # Spark quotes names like MySQL only for this scheme
        .option("url", f"jdbc:mysql://{source.hostname}:{source.port}{source.path}")
        .option("user", source.username or "")
        .option("password", source.password or "")
        .option("fetchsize", FETCHED_ROWS)
        .option("dbtable", table)
        .load()
    )


if __name__ == "__main__":
    same_rows = "--same-rows" in sys.argv
    main(sys.argv[1], Path(sys.argv[2]), SAME_ROWS if same_rows else AS_USUAL)
