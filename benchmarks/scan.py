"""What Athena would scan: bytes of the column chunks that a query needs, by the files' footers.

A chunk counts if its query names the column anywhere, and if its row group survives the conditions
that compare a column of the table with a constant, by the smallest and largest value in the footer.
Not counted: what a join's other side may rule out at run time, pages skipped within a chunk,
footers, and the least amount that Athena charges for a query.
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
MAY_HOLD: dict[type[exp.Binary], Callable[[Any, Any, Any], bool]] = {
    exp.EQ: lambda low, high, value: low <= value <= high,
    exp.LT: lambda low, _high, value: low < value,
    exp.LTE: lambda low, _high, value: low <= value,
    exp.GT: lambda _low, high, value: high > value,
    exp.GTE: lambda _low, high, value: high >= value,
}
"""Whether a row group with values from `low` to `high` may have a row that meets the condition."""


@dataclass(frozen=True)
class Condition:
    """A column compared with a constant."""

    column: str
    kind: type[exp.Binary]
    value: Any


@dataclass(frozen=True)
class Need:
    """What a query needs of one table; columns are in lower case."""

    table: str
    columns: set[str]
    conditions: tuple[Condition, ...]


def needs(sql: str) -> Iterator[Need]:
    """What a query needs of each table, as often as it reads it."""
    tree = qualify(parse_one(sql, dialect=DIALECT), dialect=DIALECT, schema=SCHEMA)
    for scope in traverse_scope(tree):
        for alias, table in scope.sources.items():
            if isinstance(table, exp.Table):
                columns = {c.name.lower() for c in scope.columns if c.table == alias}
                yield Need(table.name, columns, tuple(_conditions(scope, alias)))


def bytes_scanned(sql: str, files: Mapping[str, Sequence[Path]], renamed: Mapping[str, str]) -> int:
    """The bytes that a query needs of the files of each table.

    `renamed` has the columns that have another name in these files. A table without files is free.
    """
    return sum(
        _of_file(file, need, renamed) for need in needs(sql) for file in files.get(need.table, ())
    )


def _conditions(scope: Scope, alias: str) -> Iterator[Condition]:
    where = scope.expression.args.get("where")
    if where is None:
        return
    for part in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        if not isinstance(part, exp.Binary) or type(part) not in MAY_HOLD:
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
        if all(_may_hold(chunks.get(condition.column), condition) for condition in need.conditions):
            total += sum(chunks[name].total_compressed_size for name in wanted & chunks.keys())
    return total


def _may_hold(chunk: pq.ColumnChunkMetaData | None, condition: Condition) -> bool:
    if chunk is None or chunk.statistics is None or not chunk.statistics.has_min_max:
        return True
    statistics = chunk.statistics
    return MAY_HOLD[condition.kind](statistics.min, statistics.max, condition.value)
