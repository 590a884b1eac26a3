"""A star in DuckDB, computed by the star's SQL, with tables named as in a catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from starschema_assets.analytics.query import questions
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.star.models import MODELS
from starschema_assets_tests.rows import RawTables


class Star:
    """Runs the project's queries on a star computed from the raw tables of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        for model in sorted(MODELS, key=lambda model: model.contract.dimension is None):
            for step, sql in model.steps.items():
                connection.execute(f"create or replace view star.{step} as {sql}")
            table = model.contract.table
            connection.execute(f"create or replace table main.{table} as {model.sql}")
            if model.contract.dimension:
                connection.execute(f"create or replace view star.{table} as from main.{table}")

    def answer(self, question: str) -> list[tuple[object, ...]]:
        """Run a query of the project and return its rows in order."""
        sql = questions()[question].read_text(encoding="utf-8")
        return self.connection.execute(sql).fetchall()


@contextmanager
def star_of(source: Path) -> Iterator[Star]:
    """Yield the star of a source in a DuckDB file."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{source}' as source (read_only)")
        connection.execute("create schema raw; create schema star")
        for contract in CONTRACTS:
            table = contract.table
            connection.execute(f"create view raw.{table} as from source.main.{table}")
        yield Star(connection)


def catalog_of(star: Star, file: Path) -> Path:
    """Create a catalog with the star's tables."""
    with duckdb.connect(file) as catalog:
        for model in MODELS:
            name = model.contract.table
            rows = star.connection.sql(f"from main.{name}").to_arrow_table()  # noqa: F841 - SQL's
            catalog.execute(f"create table {name} as from rows")
    return file


@pytest.fixture
def raw() -> RawTables:
    """Raw tables: two customers with orders and one without, two product lines sold and one not."""
    raw = RawTables()
    raw.add(
        "customers",
        {"customerNumber": 1, "customerName": "Atelier", "country": "France"},
        {"customerNumber": 2, "customerName": "Nor'way", "country": "Norway  "},
        {"customerNumber": 3, "customerName": "Nobody", "country": "Spain"},
    )
    raw.add("productlines", *({"productLine": line} for line in ("Trains", "Ships", "Planes")))
    raw.add(
        "products",
        *(
            {
                "productCode": code,
                "productName": code.lower(),
                "productLine": line,
                "buyPrice": paid,
            }
            for code, line, paid in (
                ("A1", "Trains", Decimal("10.00")),
                ("A2", "Trains", Decimal("1.10")),
                ("B1", "Ships", Decimal("5.00")),
                ("C1", "Planes", Decimal("9.00")),
            )
        ),
    )
    raw.add(
        "orders",
        *(
            {"orderNumber": number, "customerNumber": customer, "orderDate": day, "status": status}
            for number, customer, day, status in (
                (10, 1, date(2024, 1, 31), "Shipped"),
                (11, 2, date(2024, 1, 1), "Cancelled"),
                (12, 1, date(2025, 1, 15), "In Process"),
            )
        ),
    )
    raw.add(
        "orderdetails",
        *(
            {
                "orderNumber": order,
                "orderLineNumber": line,
                "productCode": code,
                "quantityOrdered": quantity,
                "priceEach": Decimal(price),
            }
            for order, line, code, quantity, price in (
                (10, 1, "A1", 3, "20.10"),
                (10, 2, "B1", 5, "6.00"),
                (11, 1, "A2", 3, "2.25"),
                (12, 1, "B1", 1, "4.00"),
            )
        ),
    )
    return raw


@pytest.fixture
def star(raw: RawTables) -> Star:
    """The star of these raw tables."""
    return Star(raw.connection)
