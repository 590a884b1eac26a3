"""A model: a table of the star with its contract and SQL, and the lineage derived from the SQL.

In the SQL, `raw.<table>` is a raw table, `star.<table>_history` is a history, and `star.<step>` is
a file of the folder `steps`: a query that several tables share. A step is computed once for all of
them, and isn't published.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from starschema_assets.contract import Contract
from starschema_assets.errors import StarschemaError
from starschema_assets.versions import first_sql

DIALECT = "duckdb"
"""sqlglot's name of the SQL dialect of rules, models and audits, whatever the engine."""

RawColumn = tuple[str, str]
"""A raw table and one of its columns."""
PartSQL = Callable[[str], str]
"""Returns the query for the rows that meet a condition on the first sort column."""


class ModelError(StarschemaError):
    """A fault in the SQL or the contract of a model. The message names the file."""


@cache
def parsed(sql: str) -> exp.Select:
    """Return the query as a syntax tree. It is cached, so don't modify it."""
    return parse_one(sql, dialect=DIALECT, into=exp.Select)


def tables_of(sql: str, schema: str) -> frozenset[str]:
    """Return the tables of `schema` that a query reads."""
    tables = parsed(sql).find_all(exp.Table)
    return frozenset(table.name for table in tables if table.db == schema)


@dataclass(frozen=True)
class Model:
    """One table of the star."""

    contract: Contract
    folder: Path
    """Folder of its SQL file and of the folder `steps`."""
    sources: Sequence[Contract] = field(repr=False)
    """The raw tables that its SQL may read."""
    histories: Sequence["Model"] = field(default=(), repr=False)
    """The histories that its SQL may read in addition to the steps."""

    @property
    def paths(self) -> list[Path]:
        """The SQL files of the table: its own, then those of its steps."""
        own = [] if self.contract.dimension else [self._own_path]
        return [*own, *(self.step_path(name) for name in self.steps)]

    @cached_property
    def sql(self) -> str:
        """The query that builds the table. For a history, the query of its first day."""
        if self.contract.dimension:
            return first_sql(self.contract)
        return _read(self._own_path)

    @cached_property
    def steps(self) -> Mapping[str, str]:
        """The steps that the query reads, by name, each after the steps it depends on."""
        return self._steps_of(self.sql)

    @cached_property
    def read_histories(self) -> tuple["Model", ...]:
        """The histories that the table is built from, directly or through its steps."""
        named = {name for query in self._queries for name in tables_of(query, "star")}
        return tuple(history for history in self.histories if history.contract.table in named)

    @cached_property
    def raw_tables(self) -> tuple[str, ...]:
        """The raw tables that the table is built from, through steps but not through histories."""
        return tuple(
            sorted({table for query in self._queries for table in tables_of(query, "raw")})
        )

    @cached_property
    def raw_columns(self) -> frozenset[RawColumn]:
        """All raw columns that the query reads, including those of joins and filters."""
        return frozenset(column for query in self._queries for column in self._columns_of(query))

    @cached_property
    def column_lineage(self) -> Mapping[str, tuple[RawColumn, ...]]:
        """For each column of the table, the raw columns from which it is computed."""
        # All columns in one call; otherwise sqlglot would parse and qualify the query for each
        trees = lineage(
            None,
            self.sql,
            schema={"raw": self.raw_schema},
            sources={f"star.{name}": sql for name, sql in self.star_queries.items()},
            dialect=DIALECT,
            trim_selects=False,
        )
        return {
            column.name: tuple(sorted(self._origins(trees[column.name.lower()])))
            for column in self.contract.columns
        }

    @property
    def _own_path(self) -> Path:
        return self.folder / f"{self.contract.table}.sql"

    def step_path(self, name: str) -> Path:
        """Return the SQL file of a step."""
        return self.folder / "steps" / f"{name}.sql"

    @property
    def _queries(self) -> tuple[str, ...]:
        return (self.sql, *self.steps.values())

    @cached_property
    def star_queries(self) -> Mapping[str, str]:
        """The queries behind `star.<name>` in the SQL: those of steps and histories."""
        queries = dict(self.steps)
        for history in self.read_histories:
            queries |= {**history.steps, history.contract.table: history.sql}
        return queries

    @cached_property
    def raw_schema(self) -> dict[str, dict[str, str]]:
        """Athena types by raw table and column."""
        return {
            contract.table: {column.name: column.type for column in contract.columns}
            for contract in self.sources
        }

    def _steps_of(self, sql: str) -> dict[str, str]:
        steps: dict[str, str] = {}
        histories = {history.contract.table for history in self.histories}
        for name in sorted(tables_of(sql, "star") - histories):
            if not self.step_path(name).exists():
                raise ModelError(
                    f"{self.contract.name} reads star.{name}: there is neither a step "
                    f"star/steps/{name}.sql nor a history of that name"
                )
            query = _read(self.step_path(name))
            steps |= self._steps_of(query) | {name: query}
        return steps

    def _columns_of(self, query: str) -> Iterable[RawColumn]:
        steps = {
            name: dict.fromkeys(parsed(self.star_queries[name]).named_selects, "unknown")
            for name in tables_of(query, "star")
        }
        schema: dict[str, object] = {"raw": self.raw_schema, "star": steps}
        for scope in traverse_scope(qualify(parsed(query).copy(), dialect=DIALECT, schema=schema)):
            for column in scope.columns:
                table = scope.sources.get(column.table)
                if isinstance(table, exp.Table) and table.db == "raw":
                    yield self._raw_column(table.name, column.name)

    def _origins(self, tree: Node) -> set[RawColumn]:
        return {
            self._raw_column(node.source.name, exp.to_column(node.name, dialect=DIALECT).name)
            for node in tree.walk()
            if isinstance(node.source, exp.Table) and node.source.db == "raw"
        }

    def _raw_column(self, table: str, column: str) -> RawColumn:
        """Return a column as its contract spells it, because sqlglot lower-cases names."""
        spelling = {name.lower(): name for name in self.raw_schema[table]}
        return table, spelling[column.lower()]


def _read(path: Path) -> str:
    """Read the query in a file. Raises ModelError if it isn't a single query."""
    sql = path.read_text(encoding="utf-8").rstrip().removesuffix(";")
    try:
        is_one_query = isinstance(parsed(sql), exp.Query)
    except ParseError as error:
        at = error.errors[0] if error.errors else {}
        where = f", line {at['line']}: near {at['highlight']!r}: " if at else ": "
        reason = at.get("description", "it contains no query").partition(" but got <")[0]
        raise ModelError(f"{file_name(path)}{where}{reason}") from None
    if not is_one_query:
        raise ModelError(f"{file_name(path)}: it must contain one query and nothing else")
    return sql


def file_name(path: Path) -> str:
    """Return the name of a SQL file for messages, e.g. `star/steps/sold_items.sql`."""
    folders = [path.parent.name] if path.parent.name != "steps" else ["star", "steps"]
    return "/".join([*folders, path.name])


def users_of(
    models: Iterable[Model], sources: Iterable[Contract]
) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return, for each raw table and each of its columns in use, the models that use it.

    A raw table's key columns are always in use, because its audit checks the key.
    """
    users: dict[str, dict[str, list[str]]] = {
        contract.table: {column: [f"the key of {contract.name}"] for column in contract.key}
        for contract in sources
    }
    for model in models:
        for table, column in sorted(model.raw_columns):
            users[table].setdefault(column, []).append(model.contract.name)
    return {
        table: {column: tuple(names) for column, names in columns.items()}
        for table, columns in users.items()
    }
