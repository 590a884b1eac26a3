"""Checks a contender's tables: row counts of all tables, and exact sums of the fact.

The server computes the expected figures from the tables that the contenders read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from benchmarks.source import Source
from starschema_assets.engine import literal
from starschema_assets.raw.contracts import CONTRACTS

RAW = tuple(contract.name for contract in CONTRACTS)
FACT = "star/fact_orders"
CENT = Decimal("0.01")

ROWS_OF_STAR = {
    FACT: "orderdetails",
    "star/dim_customers": "customers",
    "star/dim_products": "products",
    "star/dim_locations": """
        (select distinct
            binary trim(postalCode), binary trim(city), binary trim(state), binary trim(country)
        from customers) as locations""",
}
DAYS = """
    select datediff(
        makedate(year(greatest(max(orderDate), max(requiredDate), max(shippedDate))) + 1, 1),
        makedate(year(least(min(orderDate), min(requiredDate), min(shippedDate))), 1)
    ) from orders"""
STAR = (*ROWS_OF_STAR, "star/dim_dates")
FIGURES_OF_SOURCE = """
    select extract(year from orderDate), count(*), sum(quantityOrdered),
        sum(quantityOrdered * priceEach)
    from orderdetails join orders using (orderNumber) group by 1"""
FIGURES_OF_FACT = """
    select extract(year from orderDate), count(*), sum(quantityOrdered), sum(orderAmount)
    from star.fact_orders group by 1"""
Figures = dict[str, tuple[Decimal, ...]]


@dataclass(frozen=True)
class Truth:
    """Expected figures."""

    rows: dict[str, int]
    figures: Figures
    """For each year of orderDate: order lines, pieces, USD."""

    @property
    def lines(self) -> int:
        """Number of order lines at the source."""
        return self.rows["raw/orderdetails"]


def truth(source: Source) -> Truth:
    """Return the expected figures. The source computes them once; then they come from a file."""
    kept = source.folder / "truth.json"
    if not kept.exists():
        rows = {name: f"select count(*) from {name.removeprefix('raw/')}" for name in RAW}
        rows |= {name: f"select count(*) from {of}" for name, of in ROWS_OF_STAR.items()}
        rows |= {"star/dim_dates": DAYS}
        counts = {name: int(source.ask(sql)[0][0]) for name, sql in rows.items()}
        years = [list(map(str, row)) for row in source.ask(FIGURES_OF_SOURCE)]
        answers = {"rows": counts, "figures": years}
        kept.write_text(json.dumps(answers), encoding="utf-8")
    known = json.loads(kept.read_text(encoding="utf-8"))
    figures = {year: tuple(map(Decimal, sums)) for year, *sums in known["figures"]}
    return Truth(known["rows"], figures)


def faults(tables: Sequence[str], folder: Path, expected: Truth) -> list[str]:
    """Return the errors in the tables that a contender wrote to `<folder>/<stage>/<table>/`."""
    found: list[str] = []
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema star")
        for table in tables:
            try:
                found += _faults(connection, table, folder, expected)
            except duckdb.Error as error:
                found.append(f"{table} can't be read: {str(error).splitlines()[0]}")
    return found


def _faults(
    connection: duckdb.DuckDBPyConnection, table: str, folder: Path, expected: Truth
) -> Iterator[str]:
    if not any((folder / table).rglob("*.parquet")):
        yield f"{table} is missing"
        return
    name = table.replace("/", ".")
    files = literal(f"{folder}/{table}/**/*.parquet")
    connection.execute(f"create view {name} as from read_parquet({files})")
    ((rows,),) = connection.execute(f"select count(*) from {name}").fetchall()
    if rows != expected.rows[table]:
        yield f"{table} has {rows:,} rows instead of {expected.rows[table]:,}"
    if table == FACT:
        yield from _wrong_sums(connection, expected)


def _wrong_sums(connection: duckdb.DuckDBPyConnection, expected: Truth) -> Iterator[str]:
    rows = connection.execute(FIGURES_OF_FACT).fetchall()
    found = {str(year): tuple(figures) for year, *figures in rows}
    if found == expected.figures:
        return
    ((type_, total),) = connection.execute(
        "select any_value(typeof(orderAmount)), sum(orderAmount) from star.fact_orders"
    ).fetchall()
    right = sum((amount for _, _, amount in expected.figures.values()), Decimal())
    money = "" if type_.startswith("DECIMAL") else f"money is a {type_}: "
    off = Decimal(total) - right
    yield f"{money}sales are {off:{'+,.2f' if abs(off) >= CENT else '+.0e'}} USD off"
