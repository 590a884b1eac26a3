"""The star made by DuckDB, on one machine and in bounded memory."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import duckdb
import pyarrow as pa

from starschema_assets.engine import DuckDBTables, add_view, connect, literal, quoted
from starschema_assets.lake.lake import Lake, StagedTable
from starschema_assets.lake.paths import Table
from starschema_assets.model import Model
from starschema_assets.settings import Settings

BATCH_ROWS = 16_384
SLICE_ROWS = 500_000
"""Rows that are sorted at a time, about."""
MAX_TEXTS = 4096
"""The most texts of an enumeration: all of them go with each batch of rows."""


class DuckDBEngine:
    """See `Engine`."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        """Nothing is read yet."""
        self._lake = lake
        self._settings = settings
        self._open()

    def _open(self) -> None:
        self._connection = connect(self._settings)
        self._connection.execute("create schema star")

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    @property
    def tables(self) -> DuckDBTables:
        """See `Engine`."""
        return DuckDBTables(self._connection)

    def read(self, table: Table) -> None:
        """See `Engine`."""
        stage, name = table
        add_view(self._connection, (stage, name), self._lake.fetch(table))

    def rows(self, model: Model, raw_rows: int) -> pa.RecordBatchReader:
        """See `Engine`; a large table is made in slices, each sorted within the memory."""
        for name, sql in model.steps.items():
            make_step(self._connection, name, sql)
        return rows_of(model, self._connection, raw_rows)

    def replace(self, staged: Sequence[StagedTable]) -> None:
        """See `Engine`; in a new database, so that the audit has the memory that the steps took."""
        self.close()
        self._open()
        for table in staged:
            stage, name = table.table
            add_view(self._connection, (stage, name), table.path)


def make_step(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """Compute the step, unless another table has already needed it.

    Texts that few rows share become an enumeration, in the order that texts have: from here to the
    file they are then sorted, moved and encoded as numbers, in half the time.
    """
    step = f"star.{quoted(name)}"
    connection.execute(f"create table if not exists {step} as {sql}")
    columns = connection.execute(f"describe {step}").fetchall()
    for column in (quoted(name) for name, type_, *_ in columns if type_ == "VARCHAR"):
        texts = f"select distinct {column} from {step} where {column} is not null"
        ((count,),) = connection.execute(f"select count(*) from ({texts})").fetchall()
        if 0 < count <= MAX_TEXTS:
            type_ = f"star.{quoted(f'{name} {column}')}"
            connection.execute(f"create type {type_} as enum ({texts} order by all)")
            connection.execute(f"alter table {step} alter {column} type {type_}")


def rows_of(
    model: Model, connection: duckdb.DuckDBPyConnection, raw_rows: int
) -> pa.RecordBatchReader:
    """The table's rows in their order, one slice after the other."""
    queries = [
        f"select * from ({model.sql}) where {condition}"
        for condition in _slices(model, connection, raw_rows)
    ] or [model.sql]
    schema = connection.sql(f"select * from ({model.sql}) limit 0").to_arrow_table().schema

    def batches() -> Iterator[pa.RecordBatch]:
        for query in queries:
            yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _slices(model: Model, connection: duckdb.DuckDBPyConnection, raw_rows: int) -> Iterator[str]:
    """Conditions on the first column that the table is sorted by; none if it is small.

    The cuts are quantiles of the raw column from which that one comes, if it is one. Orders are
    numbered as they come in: of the order lines, each slice needs a few row groups only.
    """
    count = raw_rows // SLICE_ROWS
    first = next(
        (c for c in model.contract.columns if c.name in model.contract.sorted_by[:1]), None
    )
    if not count or first is None or len(model.column_lineage[first.name]) != 1:
        return
    ((table, column),) = model.column_lineage[first.name]
    shares = [share / (count + 1) for share in range(1, count + 1)]
    ((cuts,),) = connection.execute(
        f"select quantile_disc({quoted(column)}, {shares}) from raw.{quoted(table)}"
    ).fetchall()
    if not cuts:
        return
    name = quoted(first.name)
    bounds = [f"cast({literal(str(cut))} as {first.type})" for cut in sorted({*cuts})]
    yield f"{name} <= {bounds[0]}"
    for above, upto in pairwise(bounds):
        yield f"{name} > {above} and {name} <= {upto}"
    yield f"{name} > {bounds[-1]}"
    yield f"{name} is null"
