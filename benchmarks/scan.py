"""Estimates the bytes that Athena scans for a query, from the Parquet footers.

A column chunk counts if the query uses the column and the row group's minimum and maximum don't
rule out the query's filters. Only filters that compare a column with a constant are considered.
Ignored are dynamic filtering by joins, page skipping, footers, and Athena's minimum per query.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from starschema_assets.star.models import MODELS

DIALECT = "athena"
SCHEMA: dict[str, object] = {
    model.contract.table: {column.name: column.type for column in model.contract.columns}
    for model in MODELS
}
CAN_MATCH: dict[type[exp.Binary], Callable[[Any, Any, Any], bool]] = {
    exp.EQ: lambda low, high, value: low <= value <= high,
    exp.LT: lambda low, _high, value: low < value,
    exp.LTE: lambda low, _high, value: low <= value,
    exp.GT: lambda _low, high, value: high > value,
    exp.GTE: lambda _low, high, value: high >= value,
}
"""For each operator: whether a row group with this minimum and maximum can have a matching row."""


@dataclass(frozen=True)
class Condition:
    """A filter that compares a column with a constant."""

    column: str
    kind: type[exp.Binary]
    value: Any


@dataclass(frozen=True)
class Need:
    """Columns and filters that a query uses from one table. Names are in lower case."""

    table: str
    columns: set[str]
    conditions: tuple[Condition, ...]


def needs(sql: str) -> Iterator[Need]:
    """Yield one `Need` per table reference. A table that the query reads twice appears twice."""
    tree = qualify(parse_one(sql, dialect=DIALECT), dialect=DIALECT, schema=SCHEMA)
    for scope in traverse_scope(tree):
        for alias, table in scope.sources.items():
            if isinstance(table, exp.Table):
                columns = {c.name.lower() for c in scope.columns if c.table == alias}
                yield Need(table.name, columns, tuple(_conditions(scope, alias)))


def bytes_scanned(sql: str, files: Mapping[str, Sequence[Path]], renamed: Mapping[str, str]) -> int:
    """Return the bytes that a query reads from the files.

    `renamed` maps columns to their names in these files. A table without files counts as 0 bytes.
    """
    return sum(
        _of_file(file, need, renamed) for need in needs(sql) for file in files.get(need.table, ())
    )


def _conditions(scope: Scope, alias: str) -> Iterator[Condition]:
    where = scope.expression.args.get("where")
    if where is None:
        return
    for part in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        if not isinstance(part, exp.Binary) or type(part) not in CAN_MATCH:
            continue
        is_of_table = isinstance(part.left, exp.Column) and part.left.table == alias
        if is_of_table and not part.right.find(exp.Column):
            ((value,),) = duckdb.sql(f"select {part.right.sql('duckdb')}").fetchall()
            yield Condition(part.left.name.lower(), type(part), value)


def _of_file(file: Path, need: Need, renamed: Mapping[str, str]) -> int:
    footer = pq.read_metadata(file)
    wanted = {renamed.get(name, name) for name in need.columns}
    total = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunks = {
            group.column(index).path_in_schema.lower(): group.column(index)
            for index in range(group.num_columns)
        }
        if all(
            _can_match(chunks.get(condition.column), condition) for condition in need.conditions
        ):
            total += sum(chunks[name].total_compressed_size for name in wanted & chunks.keys())
    return total


def _can_match(chunk: pq.ColumnChunkMetaData | None, condition: Condition) -> bool:
    if chunk is None or chunk.statistics is None or not chunk.statistics.has_min_max:
        return True
    statistics = chunk.statistics
    return CAN_MATCH[condition.kind](statistics.min, statistics.max, condition.value)
