"""The star's models: a SQL file with its contract each, and what the SQL says of itself.

`raw.<table>` in a file is a raw table. `star.<step>` is another file of this folder, one without a
contract: a step that is computed once for all models that read it, and that is not published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from starschema_assets.contract import Contract
from starschema_assets.raw.contracts import CONTRACTS as RAW_CONTRACTS
from starschema_assets.star import (
    dim_customers,
    dim_dates,
    dim_locations,
    dim_products,
    fact_orders,
)

DIALECT = "duckdb"
FOLDER = Path(__file__).parent

SourceColumn = tuple[str, str]
"""A raw table and a column of it."""


def sql_of(name: str) -> str:
    """The text of `<name>.sql`."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


@cache
def parsed(sql: str) -> exp.Select:
    """The query as a tree, which is not to be changed."""
    return parse_one(sql, dialect=DIALECT, into=exp.Select)


def tables_of(sql: str, schema: str) -> frozenset[str]:
    """The tables of `schema` that a query names."""
    tables = parsed(sql).find_all(exp.Table)
    return frozenset(table.name for table in tables if table.db == schema)


@cache
def raw_schema() -> Mapping[str, Mapping[str, str]]:
    """The columns of the raw tables with their types, as their contracts have them."""
    return {
        contract.table: {column.name: column.type for column in contract.columns}
        for contract in RAW_CONTRACTS
    }


@dataclass(frozen=True)
class Model:
    """One table of the star."""

    contract: Contract

    @property
    def paths(self) -> list[Path]:
        """The SQL files that make the table: its own, then those of its steps."""
        return [FOLDER / f"{name}.sql" for name in (self.contract.table, *self.steps)]

    @cached_property
    def sql(self) -> str:
        """The query that makes the table."""
        return sql_of(self.contract.table)

    @cached_property
    def steps(self) -> Mapping[str, str]:
        """The steps that the query reads, by name, each after those that it reads itself."""
        return _steps_of(self.sql)

    @cached_property
    def raw_tables(self) -> tuple[str, ...]:
        """The raw tables that the table is made of, through its steps as well."""
        queries = (self.sql, *self.steps.values())
        return tuple(sorted(frozenset[str]().union(*(tables_of(q, "raw") for q in queries))))

    @cached_property
    def raw_columns(self) -> frozenset[SourceColumn]:
        """Every raw column that the query needs, for a join or a filter too."""
        queries = (self.sql, *self.steps.values())
        return frozenset[SourceColumn]().union(*map(_raw_columns_of, queries))

    @cached_property
    def column_lineage(self) -> Mapping[str, tuple[SourceColumn, ...]]:
        """For each column of the table, the raw columns from which it is computed."""
        # All columns at once: one by one, the query would be parsed and qualified for each
        trees = lineage(
            None,
            self.sql,
            schema={"raw": raw_schema()},
            sources={f"star.{name}": sql for name, sql in self.steps.items()},
            dialect=DIALECT,
            trim_selects=False,
        )
        return {
            column.name: tuple(sorted(_origins(trees[column.name.lower()])))
            for column in self.contract.columns
        }


@cache
def _raw_columns_of(query: str) -> frozenset[SourceColumn]:
    steps = {
        name: dict.fromkeys(parsed(sql_of(name)).named_selects, "unknown")
        for name in tables_of(query, "star")
    }
    tree = qualify(
        parsed(query).copy(), dialect=DIALECT, schema={"raw": raw_schema(), "star": steps}
    )
    used = set()
    for scope in traverse_scope(tree):
        for column in scope.columns:
            table = scope.sources.get(column.table)
            if isinstance(table, exp.Table) and table.db == "raw":
                used.add(_raw_column(table.name, column.name))
    return frozenset(used)


def _steps_of(sql: str) -> dict[str, str]:
    steps: dict[str, str] = {}
    for name in sorted(tables_of(sql, "star")):
        query = sql_of(name)
        steps |= _steps_of(query) | {name: query}
    return steps


def _origins(tree: Node) -> set[SourceColumn]:
    return {
        _raw_column(node.source.name, node.name.rpartition(".")[2])
        for node in tree.walk()
        if isinstance(node.source, exp.Table) and node.source.db == "raw"
    }


def _raw_column(table: str, column: str) -> SourceColumn:
    """Give a column the spelling of its contract: sqlglot folds names to lower case."""
    spelling = {name.lower(): name for name in raw_schema()[table]}
    return table, spelling[column.lower()]


MODELS = tuple(
    Model(module.CONTRACT)
    for module in (dim_customers, dim_products, dim_locations, dim_dates, fact_orders)
)
"""In the order of publication: the dimensions before the fact that refers to them."""


@cache
def used_by() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """For each raw table, for each of its columns that something needs, what needs it.

    A raw table's own key is needed by its audit.
    """
    users: dict[str, dict[str, list[str]]] = {
        contract.table: {column: [f"the key of {contract.name}"] for column in contract.key}
        for contract in RAW_CONTRACTS
    }
    for model in MODELS:
        for table, column in sorted(model.raw_columns):
            users[table].setdefault(column, []).append(model.contract.name)
    return {
        table: {column: tuple(names) for column, names in columns.items()}
        for table, columns in users.items()
    }
