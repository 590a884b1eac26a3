"""pandas + SQLAlchemy: reads whole tables, merges and writes them, like most scripts."""

import sys
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

TABLES = [
    "customers",
    "employees",
    "offices",
    "orderdetails",
    "orders",
    "payments",
    "productlines",
    "products",
]
PLACE = ["postalCode", "city", "state", "country"]
FACT = [
    "orderNumber",
    "orderLineNumber",
    "customerNumber",
    "productCode",
    "locationKey",
    "orderDate",
    "requiredDate",
    "shippedDate",
    "status",
    "comments",
    "quantityOrdered",
    "priceEach",
    "orderAmount",
    "buyPrice",
    "MSRP",
]


def main(url: str, folder: Path) -> None:
    """Extract, transform and load once."""
    engine = create_engine(url)
    raw = {table: pd.read_sql(f"select * from {table}", engine) for table in TABLES}
    for table, rows in raw.items():
        write(rows, folder / "raw" / table)
    customers = raw["customers"]
    for column in customers.select_dtypes(["object", "str"]):
        customers[column] = customers[column].str.strip()
    write(customers.drop(columns=[*PLACE, "salesRepEmployeeNumber"]), folder / "star/dim_customers")
    products = raw["products"].merge(raw["productlines"], on="productLine", how="left")
    write(
        products.drop(columns=["quantityInStock", "buyPrice", "MSRP", "htmlDescription", "image"]),
        folder / "star" / "dim_products",
    )
    locations = customers[PLACE].drop_duplicates().reset_index(drop=True)
    locations["locationKey"] = locations.index
    write(locations, folder / "star" / "dim_locations")
    write(dates(raw["orders"]), folder / "star" / "dim_dates")
    fact = (
        raw["orderdetails"]
        .merge(raw["orders"], on="orderNumber")
        .merge(raw["products"], on="productCode", how="left")
        .merge(customers.merge(locations, on=PLACE), on="customerNumber")
    )
    fact["orderAmount"] = fact["quantityOrdered"] * fact["priceEach"]
    write(fact[FACT], folder / "star" / "fact_orders")


def dates(orders: pd.DataFrame) -> pd.DataFrame:
    """Return one row per day of all years from the first to the last date of an order."""
    days = orders[["orderDate", "requiredDate", "shippedDate"]].apply(pd.to_datetime)
    first, last = days.min().min(), days.max().max()
    date = pd.Series(pd.date_range(f"{first.year}-01-01", f"{last.year}-12-31"))
    return pd.DataFrame(
        {
            "date": date,
            "year": date.dt.year,
            "quarter": date.dt.quarter,
            "month": date.dt.month,
            "monthName": date.dt.month_name(),
            "day": date.dt.day,
            "weekday": date.dt.weekday + 1,
            "weekdayName": date.dt.day_name(),
            "isoWeek": date.dt.isocalendar().week,
            "isWeekend": date.dt.weekday >= 5,  # noqa: PLR2004 - Saturday
        }
    )


def write(rows: pd.DataFrame, folder: Path) -> None:
    """Write one table as one file."""
    folder.mkdir(parents=True)
    rows.to_parquet(folder / f"{folder.name}.parquet")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
