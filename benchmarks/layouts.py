"""Compares two file layouts of the same rows by the bytes that the project's queries read.

Ours is that of a refresh. The usual one is that of a typical Glue job with Spark's defaults:
snappy, row groups of up to 128 MB, several files, rows in the order that its joins produce.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from benchmarks.answers import FACT, Truth, faults
from benchmarks.contenders import REFRESH, SPARK_JOB, Contender
from benchmarks.process import run
from benchmarks.rounds import settings_in, workshop
from benchmarks.scan import bytes_scanned
from benchmarks.source import Source
from starschema_assets.analytics.query import questions

USUAL_NAMES = {"locationkey": "postalcode"}
"""The usual job uses the postal code as the key of a location."""


@dataclass(frozen=True)
class Layout:
    """The files of a star, and names of columns that differ from the project's."""

    files: dict[str, list[Path]]
    renamed: dict[str, str]

    def description(self) -> str:
        """Return a short description of the fact's files."""
        footers = [pq.read_metadata(file) for file in self.files["fact_orders"]]
        size = sum(file.stat().st_size for file in self.files["fact_orders"])
        groups = sum(footer.num_row_groups for footer in footers)
        return f"{len(footers)} files, {groups} row groups, {size / 1e6:,.1f} MB"


@dataclass(frozen=True)
class Scan:
    """The bytes that a query reads in both layouts."""

    query: str
    is_question: bool
    ours: int
    usual: int


def compared(source: Source, truth: Truth, timeout: float) -> tuple[list[Scan], str, str]:
    """Return the scans, and short descriptions of both layouts of the fact."""
    same_rows = replace(
        SPARK_JOB,
        command=lambda source, folder: [*SPARK_JOB.command(source, folder), "--same-rows"],
    )
    with workshop() as ours, workshop() as usual:
        layouts = (
            Layout(_files(REFRESH, source, truth, ours, timeout), {}),
            Layout(_files(same_rows, source, truth, usual, timeout), USUAL_NAMES),
        )
        asked = {name: path.read_text(encoding="utf-8") for name, path in questions().items()}
        month, sql = _a_month(layouts[0])
        scans = [
            Scan(name, name in asked, *_scanned(query, layouts))
            for name, query in (asked | {month: sql}).items()
        ]
        return scans, layouts[0].description(), layouts[1].description()


def _files(
    contender: Contender, source: Source, truth: Truth, folder: Path, timeout: float
) -> dict[str, list[Path]]:
    """Run a contender once and return its files. Raises RuntimeError if its fact is wrong."""
    lake = folder / "lake"
    cost = run(contender.command(source, lake), settings_in(folder, source.url), folder, timeout)
    if problem := cost.error or "; ".join(faults([FACT], lake, truth)):
        raise RuntimeError(f"{contender.title}: {problem}")
    tables = [table.removeprefix("star/") for table in contender.tables if table.startswith("star")]
    return {table: sorted((lake / "star" / table).rglob("*.parquet")) for table in tables}


def _a_month(ours: Layout) -> tuple[str, str]:
    """Return name and SQL of a query for one month: the month of the median order date."""
    (file,) = ours.files["fact_orders"]
    ((first, after),) = duckdb.sql(f"""
        with middle as (select date_trunc('month', median(orderDate)) as month from '{file}')
        select cast(month as date), cast(month + interval 1 month as date) from middle
    """).fetchall()
    condition = f"orderDate >= date '{first}' and orderDate < date '{after}'"
    return f"{first:%B %Y}", f"select sum(orderAmount) from fact_orders where {condition}"


def _scanned(sql: str, layouts: Sequence[Layout]) -> list[int]:
    return [bytes_scanned(sql, layout.files, layout.renamed) for layout in layouts]
