"""Finds faults in contracts and SQL before anything runs.

DuckDB binds every query to empty tables that are created from the contracts.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

import duckdb
from sqlglot import exp, parse_one
from sqlglot.dialects.athena import Athena
from sqlglot.errors import SqlglotError

from starschema_assets.contract import Contract, Reconciliation
from starschema_assets.engine import quoted
from starschema_assets.errors import did_you_mean
from starschema_assets.model import Model, ModelError, file_name, tables_of
from starschema_assets.quality.files import types_of
from starschema_assets.types import ColumnRefused, UnsupportedType, arrow_type, athena_safe

OPEN_GRAIN = "one row per ?"
"""Placeholder for a grain that isn't written yet."""
NAME = re.compile(r"[A-Za-z0-9_]+")
MAX_NAME_BYTES = 255
"""Glue's limit for names of tables and columns."""
MAX_QUERY_BYTES = 262_144
"""Athena's limit: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html."""
# Trino's reserved words that sqlglot lacks
_TRINO = """
cube current_catalog current_date current_path current_role current_schema current_user grouping
listagg localtime localtimestamp normalize recursive rollup skip trim uescape unnest
"""
_KEYWORDS = "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"


@cache
def reserved() -> frozenset[str]:
    """Return the words that must be quoted as names in Athena or DuckDB."""
    with duckdb.connect() as connection:
        of_duckdb = {word for (word,) in connection.execute(_KEYWORDS).fetchall()}
    return frozenset(Athena.Generator.RESERVED_KEYWORDS | set(_TRINO.split()) | of_duckdb)


def verify(raw: Sequence[Contract], models: Sequence[Model]) -> None:
    """Raise ModelError if the contracts or the SQL have faults, with one line per fault."""
    if faults := list(faults_of(raw, models)):
        raise ModelError("\n".join(faults))


def faults_of(raw: Sequence[Contract], models: Sequence[Model]) -> Iterator[str]:
    """Yield one line per fault. The SQL is checked only if the contracts have no faults."""
    contracts = [*raw, *(model.contract for model in models)]
    faults = [
        *_doubled("raw/", [contract.table for contract in raw]),
        *_doubled("star/", [model.contract.table for model in models]),
        *(fault for contract in contracts for fault in _of_contract(contract)),
        *_references(models),
    ]
    yield from (question for contract in contracts for question in _questions(contract))
    yield from faults
    if not faults:
        histories = [model.contract for model in models if model.contract.dimension]
        with EmptyTables([*raw, *histories]) as tables:
            for model in models:
                yield from tables.faults_of(model)


def _questions(contract: Contract) -> Iterator[str]:
    """Yield requests for entries that can't be derived and that the user must write."""
    file = "raw/contracts.py" if contract.stage == "raw" else f"{contract.name}.py"
    if contract.grain == OPEN_GRAIN:
        yield f"{contract.name} has no grain: write what one row represents into {file}"
    if not contract.key:
        yield f"{contract.name} has no key: write the columns that identify a row into {file}"


def _of_contract(contract: Contract) -> Iterator[str]:
    if contract.dimension:
        return  # generated from the dimension's contract
    yield from _names(contract)
    names = [column.name for column in contract.columns]
    used = {"key": contract.key, "sorted_by": contract.sorted_by}
    used |= {f"foreign key to {k.references}": k.columns for k in contract.foreign_keys}
    used |= {"newest": (contract.newest.column,)} if contract.newest else {}
    for what, columns in used.items():
        for name in columns:
            if name not in names:
                yield (
                    f"{contract.name}: {what} contains {name}, which is not a column"
                    f"{did_you_mean(name, names)}"
                )
    for column in contract.columns:
        try:
            arrow_type(column.type)
        except UnsupportedType as error:
            yield f"{contract.name}.{column.name}: {error}"


def _names(contract: Contract) -> Iterator[str]:
    """Yield a message per name that is invalid in Athena or in a path of the lake."""
    is_star = contract.stage == "star"
    columns = [column.name for column in contract.columns]
    for name, what in [(contract.table, contract.name)] + [
        (name, f"{contract.name}.{name}") for name in columns if is_star
    ]:
        if not NAME.fullmatch(name) or len(name) > MAX_NAME_BYTES:
            yield f"{what}: a name must have 1 to {MAX_NAME_BYTES} letters, digits or underscores"
        elif is_star and name.lower() in reserved():
            yield f"{what}: {name} is a reserved word in SQL: choose another name"
    yield from _doubled(f"{contract.name}.", columns)
    if is_star and sum(len(f'"{name}", '.encode()) for name in columns) > MAX_QUERY_BYTES:
        yield (
            f"{contract.name}: a query for its {len(columns)} columns would be longer than "
            f"Athena's limit of {MAX_QUERY_BYTES:,} bytes"
        )


def _references(models: Sequence[Model]) -> Iterator[str]:
    """Yield a message per foreign key whose columns differ from the referenced key's."""
    keys = {model.contract.table: _typed(model.contract, model.contract.key) for model in models}
    for model in models:
        for key in model.contract.foreign_keys:
            ours, theirs = _typed(model.contract, key.columns), keys.get(key.references, {})
            if list(ours.values()) != list(theirs.values()) and theirs:
                yield (
                    f"{model.contract.name}: the foreign key {_listed(ours)} refers to "
                    f"star/{key.references}, whose key is {_listed(theirs)}"
                )


def _typed(contract: Contract, names: Sequence[str]) -> dict[str, str]:
    types = {column.name: column.type for column in contract.columns}
    return {name: types.get(name, "missing") for name in names}


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({type_})" for name, type_ in columns.items())


def _doubled(place: str, names: Sequence[str]) -> Iterator[str]:
    for folded, count in Counter(name.lower() for name in names).items():
        if count > 1:
            same = " and ".join(f"{place}{name}" for name in names if name.lower() == folded)
            yield f"{same}: Athena ignores case, so rename one of them"


class EmptyTables:
    """Empty tables, created from contracts, in an in-memory DuckDB database."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._raw: list[str] = []
        self._connection = duckdb.connect()
        self._connection.execute("create schema raw; create schema star; use star")
        for contract in contracts:
            self.add(contract)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def columns(self, model: Model) -> dict[str, str]:
        """Return the columns of a model's SQL, with their Athena types.

        Raises ModelError with the name of the file whose SQL is wrong.
        """
        for name, sql in model.steps.items():
            view = f"create or replace view star.{quoted(name)} as {sql}"
            self._run(model.step_path(name), sql, view)
        file = model.paths[0]
        schema = self._run(file, model.sql, model.sql).to_arrow_table().schema
        try:
            return types_of(athena_safe(schema))
        except ColumnRefused as error:
            raise ModelError(f"{file_name(file)}: {error}") from None

    def faults_of(self, model: Model) -> Iterator[str]:
        """Yield the faults of a model's SQL and of the SQL in its contract."""
        contract = model.contract
        try:
            columns = self.columns(model)
        except ModelError as error:
            yield str(error)
            return
        sums = contract.reconciliation
        if sums and sums.table not in model.raw_tables:
            yield (
                f"{contract.name} is reconciled with raw/{sums.table}, but its SQL reads only "
                f"{', '.join(model.raw_tables)}"
            )
        elif sums:
            raw = {each.table: [c.name for c in each.columns] for each in model.sources}
            yield from (f"{contract.name}: reconciliation: {f}" for f in _at_source(sums, raw))
        differences = list(_differences(contract, columns, file_name(model.paths[0])))
        yield from differences
        if not differences and not contract.dimension:
            self.add(contract)
            for what, query in _queries(contract):
                if fault := self.fault_of(query):
                    yield f"{contract.name}: {what}: {fault}"

    def fault_of(self, query: str) -> str:
        """Return why a query can't be bound, in one line, or '' if it can."""
        try:
            self._connection.execute(f"explain {query}")
        except duckdb.Error as error:
            return _line(error)
        return ""

    def add(self, contract: Contract) -> None:
        """Create the empty table of a contract."""
        if contract.stage == "raw":
            self._raw.append(contract.table)
        columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in contract.columns)
        table = f"{contract.stage}.{quoted(contract.table)}"
        self._connection.execute(f"create table {table} ({columns})")

    def _run(self, path: Path, sql: str, statement: str) -> duckdb.DuckDBPyConnection:
        """Run the SQL of a file. Raises ModelError with the name of the file."""
        for table in sorted(tables_of(sql, "raw").difference(self._raw)):
            raise ModelError(
                f"{file_name(path)} reads raw.{table}, which has no contract in raw/contracts.py. "
                f"Contracts: {', '.join(self._raw)}{did_you_mean(table, self._raw)}"
            )
        try:
            return self._connection.execute(statement)
        except duckdb.Error as error:
            raise ModelError(f"{file_name(path)}: {_line(error)}") from None


def _differences(contract: Contract, columns: Mapping[str, str], file: str) -> Iterator[str]:
    declared = {column.name: column.type for column in contract.columns}
    for name in [name for name in declared if name not in columns]:
        yield (
            f"{contract.name}: the contract has the column {name}, but {file} doesn't return it"
            f"{did_you_mean(name, columns.keys() - declared.keys())}"
        )
    for name in [name for name in columns if name not in declared]:
        yield f"{contract.name}: {file} returns the column {name}, which isn't in the contract"
    for name in [name for name in declared if name in columns]:
        if declared[name] != columns[name]:
            yield (
                f"{contract.name}.{name} is {declared[name]} in the contract, but {columns[name]} "
                f"in {file}"
            )
    if declared.keys() == columns.keys() and list(declared) != list(columns):
        yield (
            f"{contract.name}: {file} returns the columns in the order {', '.join(columns)}; list "
            "them in the same order in the contract"
        )


def _at_source(sums: Reconciliation, raw: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what a reconciliation reads at the source and no raw contract has."""
    grouping = sums.group_table or sums.table
    if grouping not in raw:
        yield f"raw/{grouping} has no contract in raw/contracts.py{did_you_mean(grouping, raw)}"
        return
    named = {(table, sums.group_key) for table in (sums.table, grouping) if sums.group_key}
    expressions = [(sums.table, each.source) for each in sums.sums]
    for table, expression in [*expressions, (grouping, sums.group)]:
        try:
            tree = parse_one(expression, dialect="mysql")
        except SqlglotError as error:
            yield f"{expression} at the source: {str(error).splitlines()[0]}"
        else:
            named |= {(table, column.name) for column in tree.find_all(exp.Column)}
    for table, name in sorted(named):
        if name.lower() not in [column.lower() for column in raw[table]]:
            yield f"raw/{table} has no column {name}{did_you_mean(name, raw[table])}"


def _queries(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield the queries of a contract's rules and sums, each with a name for messages."""
    table = f"star.{quoted(contract.table)}"
    for rule in contract.rules:
        yield f"rule {rule.name}", f"select 1 from {table} where not ({rule.holds})"
    if sums := contract.reconciliation:
        here = ", ".join(each.here for each in sums.sums)
        yield "reconciliation", f"select {here} from {table} group by {sums.group}"


def _line(error: duckdb.Error) -> str:
    """Return DuckDB's message with the line number, without the query."""
    message = str(error).partition("\n\nLINE ")
    line = message[2].partition(":")[0]
    return (f"line {line}: " if line else "") + " ".join(message[0].split())
