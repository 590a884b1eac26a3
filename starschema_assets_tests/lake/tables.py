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
    """Return rows that all contain the run's name, so that mixed versions can be detected."""
    return pa.table({"run": [run] * rows, "number": range(rows)}).to_reader()


def stage(lake: Lake, run: str, table: Table = FACT) -> StagedTable:
    """Stage a version whose rows contain the run's name."""
    metadata = {"snapshot": f"s-{run}"}
    return lake.stage(table, rows_of(run), run, metadata=metadata, sorted_by=["number"])


def publish(lake: Lake, run: str, *tables: Table) -> list[Published]:
    """Publish a version of each table, by default of the fact, like one run."""
    with lake.lock(run, LOG):
        staged = [stage(lake, run, table) for table in tables or (FACT,)]
        return publish_staged(staged)


def publish_staged(staged: list[StagedTable]) -> list[Published]:
    """Upload all tables, then publish them."""
    for each in staged:
        each.lake.upload(each)
    return [each.lake.publish(each) for each in staged]


def runs_in(path: Path) -> list[str]:
    """Return the runs in the rows of a file. DuckDB reads the file, because pyarrow wrote it."""
    found = duckdb.execute("select distinct run from read_parquet(?)", [str(path)]).fetchall()
    return [run for (run,) in found]
