"""Small tables for the lake's tests."""

import logging
from pathlib import Path

import duckdb
import pyarrow as pa

from starschema_assets.lake.lake import Lake, Published, StagedTable, Table

FACT: Table = ("star", "fact_orders")
DIMENSION: Table = ("star", "dim_products")
LOG = logging.getLogger("starschema_assets_tests")
ROWS = 1000


def rows_of(run: str, rows: int = ROWS) -> pa.RecordBatchReader:
    """`rows` rows that all name the run, so that a mixture of two versions shows."""
    return pa.table({"run": [run] * rows, "number": range(rows)}).to_reader()


def stage(lake: Lake, run: str, table: Table = FACT) -> StagedTable:
    """Stage a version that says which run wrote it."""
    metadata = {"snapshot": f"s-{run}"}
    return lake.stage(table, rows_of(run), run, metadata=metadata, sorted_by=["number"])


def publish(lake: Lake, run: str, *tables: Table) -> list[Published]:
    """Publish a version of each table (the fact if none is named) as one run does."""
    with lake.lock(run, LOG):
        staged = [stage(lake, run, table) for table in tables or (FACT,)]
        return publish_staged(staged)


def publish_staged(staged: list[StagedTable]) -> list[Published]:
    """Upload all, then publish all."""
    for each in staged:
        each.lake.upload(each)
    return [each.lake.publish(each) for each in staged]


def runs_in(path: Path) -> list[str]:
    """Read with DuckDB, which didn't write it, which runs the rows of a file name."""
    found = duckdb.execute("select distinct run from read_parquet(?)", [str(path)]).fetchall()
    return [run for (run,) in found]
