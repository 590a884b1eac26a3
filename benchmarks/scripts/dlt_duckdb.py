"""dlt + DuckDB: dlt copies tables to Parquet, then DuckDB computes the star, as in dlt's guides.

Streaming with ConnectorX is dlt's fastest backend, and needs the least memory. The names of columns
are kept, for the star's SQL.
"""

import os
import sys
from pathlib import Path

import dlt
import duckdb
from dlt.destinations import filesystem
from dlt.sources.sql_database import sql_database

STAR_SQL = Path(__file__).parents[2] / "starschema_assets" / "star"
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
STEPS = ["tracked_customers", "product_lines", "tracked_products"]
STEPS_OF_FACT = ["located_orders", "ordered_products"]
HISTORIES = {
    "dim_customers_history": "tracked_customers",
    "dim_products_history": "tracked_products",
}
FIRST_VERSION = """
    select *, 1 as version, date '0001-01-01' as validFrom, date '9999-12-31' as validTo
    from star."""
STAR = ["dim_customers", "dim_products", "dim_locations", "dim_dates", "fact_orders"]
ROWS = 100_000


def main(url: str, folder: Path) -> None:
    """Load the tables and compute the star once."""
    os.environ |= {"SCHEMA__NAMING": "direct", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    pipeline = dlt.pipeline(
        "classicmodels",
        pipelines_dir=str(folder.parent / "dlt"),
        destination=filesystem(bucket_url=folder.as_uri()),
        dataset_name="raw",
    )
    source = sql_database(
        url,
        table_names=TABLES,
        backend="connectorx",
        backend_kwargs={"return_type": "arrow_stream"},
        chunk_size=ROWS,
    )
    pipeline.run(source, write_disposition="replace", loader_file_format="parquet")
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema star")
        for table in TABLES:
            files = folder / "raw" / table / "*.parquet"
            connection.execute(f"create view raw.{table} as from '{files}'")
        for step in STEPS:
            connection.execute(f"create view star.{step} as {_sql(step)}")
        for history, step in HISTORIES.items():  # only today's versions: dlt keeps no history
            connection.execute(f"create view star.{history} as {FIRST_VERSION}{step}")
        for step in STEPS_OF_FACT:
            connection.execute(f"create view star.{step} as {_sql(step)}")
        for table in STAR:
            file = folder / "star" / table / f"{table}.parquet"
            file.parent.mkdir(parents=True)
            connection.execute(
                f"copy ({_sql(table)}) to '{file}' (format parquet, compression zstd)"
            )


def _sql(name: str) -> str:
    return next(STAR_SQL.rglob(f"{name}.sql")).read_text(encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
