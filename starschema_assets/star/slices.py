"""A large table in slices, each of which can be sorted within the engine's memory."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import duckdb
import pyarrow as pa

from starschema_assets.engine import literal, quoted
from starschema_assets.lake.parquet import Footer
from starschema_assets.star.models import Model

BATCH_ROWS = 16_384
SLICE_ROWS = 500_000
"""Rows that are sorted at a time, about."""


def rows_of(
    model: Model, connection: duckdb.DuckDBPyConnection, raw: Mapping[str, Footer]
) -> pa.RecordBatchReader:
    """The table's rows in their order, one slice after the other; `raw` has what it is made of."""
    queries = [
        f"select * from ({model.sql}) where {condition}"
        for condition in _slices(model, connection, raw)
    ] or [model.sql]
    schema = connection.sql(f"select * from ({model.sql}) limit 0").to_arrow_table().schema

    def batches() -> Iterator[pa.RecordBatch]:
        for query in queries:
            yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _slices(
    model: Model, connection: duckdb.DuckDBPyConnection, raw: Mapping[str, Footer]
) -> Iterator[str]:
    """Conditions on the first column that the table is sorted by; none if it is small.

    The cuts are quantiles of the raw column from which that one comes, if it is one. Orders are
    numbered as they come in: of the order lines, each slice needs a few row groups only.
    """
    count = max(raw[table].rows for table in model.raw_tables) // SLICE_ROWS
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
