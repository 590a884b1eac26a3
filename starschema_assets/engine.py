"""The engine for one machine: DuckDB with a memory limit."""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from starschema_assets.errors import StarschemaError
from starschema_assets.model import Model, PartSQL
from starschema_assets.settings import Settings

BATCH_ROWS = 16_384
SLICE_ROWS = 500_000
"""About how many rows are sorted at a time."""
SLICE_VERSIONS = 100_000
"""About how many versions are compared at a time. 400,000 at once don't fit in 96 MB."""
MAX_TEXTS = 4096
"""The largest number of texts in an enumeration: each batch of rows carries all of them."""

Table = tuple[str, ...]
"""The path of a table in SQL, e.g. `("raw", "sales")`."""


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Open an empty in-memory database that spills to the scratch directory."""
    try:
        settings.scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StarschemaError(f"STARSCHEMA_SCRATCH: the folder can't be made: {error}") from error
    return duckdb.connect(
        config={
            "memory_limit": settings.memory_limit,
            "allocator_background_threads": True,  # the peak is 391 MB, or 435 MB without it
            "temp_directory": str(settings.scratch / "duckdb"),
            "autoinstall_known_extensions": False,  # nothing is fetched while a pipeline runs
        }
    )


@dataclass(frozen=True)
class DuckDBTables:
    """The tables and views of a connection, for an audit to query."""

    connection: duckdb.DuckDBPyConnection

    def fetch(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the columns and rows of a query's result."""
        result = self.connection.execute(query)
        return [column[0] for column in result.description], result.fetchall()

    def suspects(self, table: str, key: Sequence[str]) -> str:
        """See `Tables`. In a file that is sorted by the key, finding such rows takes no memory."""
        names = [quoted(name) for name in key]
        before = [f"lag({name}) over () as before{index}" for index, name in enumerate(names)]
        firsts = f"select {names[0]}, {before[0]} from {table}"
        _, ((in_runs,),) = self.fetch(
            f"select count_if({names[0]} >= before0) >= count(*) - 1 from ({firsts})"
        )
        if not in_runs:
            return "true"
        above = "false"
        for index, name in reversed(list(enumerate(names))):
            above = f"({name} > before{index} or {name} = before{index} and {above})"
        rows = f"select {', '.join([*names, *before])} from {table}"
        return f"{names[0]} in (select {names[0]} from ({rows}) where not coalesce({above}, false))"

    def parts(self, table: str, column: str, rows: int) -> list[str]:
        """See `Tables`. Each part has about SLICE_VERSIONS rows."""
        return slices(self.connection, table, column, rows // SLICE_VERSIONS, column) or ["true"]


def quoted(name: str) -> str:
    """Quote an identifier for SQL, e.g. `"order"`."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL, e.g. `'it''s'`."""
    return "'" + text.replace("'", "''") + "'"


def add_view(connection: duckdb.DuckDBPyConnection, path: Table, parquet: Path) -> None:
    """Make a Parquet file readable as the table `path`, e.g. `raw.sales`."""
    schema, table = map(quoted, path)
    connection.execute(f"create schema if not exists {schema}")
    connection.execute(
        f"create or replace view {schema}.{table} as from read_parquet({literal(str(parquet))})"
    )


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its package: nothing is fetched while a pipeline runs."""
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    if package is None or package.origin is None:
        raise ImportError(f"pip install duckdb-extension-{name.replace('_', '-')}")
    folder = Path(package.origin).parent / "extensions" / f"v{duckdb.__version__}"
    connection.execute(f"load {literal(str(folder / f'{name}.duckdb_extension'))}")


def read_from_lake(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Let the connection read the lake's files by their URIs, on S3 with default credentials."""
    if not settings.s3_lake:
        return
    import boto3  # noqa: PLC0415 - a third of a second that a local lake doesn't need to spend

    client = boto3.client("s3")
    credentials = boto3.Session().get_credentials()
    load_extension(connection, "httpfs")
    secret: dict[str, str | None] = {"region": client.meta.region_name}
    if credentials:
        frozen = credentials.get_frozen_credentials()
        secret |= {
            "key_id": frozen.access_key,
            "secret": frozen.secret_key,
            "session_token": frozen.token,
        }
    scheme, _, host = client.meta.endpoint_url.partition("://")
    if not host.endswith(".amazonaws.com"):
        secret |= {"endpoint": host, "url_style": "path", "use_ssl": str(scheme == "https")}
    given = {name: value for name, value in secret.items() if value}
    parameters = ", ".join(f"{name} ${name}" for name in given)
    connection.execute(f"create secret lake (type s3, {parameters})", given)


class DuckDBEngine:
    """Computes star tables on one machine, in bounded memory."""

    def __init__(self, fetch: Callable[[Table], Path], settings: Settings) -> None:
        """Read nothing yet. `fetch` returns the file of a published table."""
        self._fetch = fetch
        self._settings = settings
        self._open()

    def _open(self) -> None:
        self._connection = connect(self._settings)
        self._connection.execute("create schema star")

    def close(self) -> None:
        """Close the database and release its memory."""
        self._connection.close()

    @property
    def tables(self) -> DuckDBTables:
        """The readable tables, for an audit to query."""
        return DuckDBTables(self._connection)

    def read(self, table: Table, schema: str | None = None) -> None:
        """Make the published version of a table readable, in its own schema or in another."""
        add_view(self._connection, (schema or table[0], *table[1:]), self._fetch(table))

    def rows(self, model: Model, largest: int, part_sql: PartSQL | None) -> pa.RecordBatchReader:
        """Return the rows of a star table. A large one is computed and sorted slice by slice."""
        for name, sql in model.steps.items():
            make_step(self._connection, name, sql)
        return rows_of(model, self._connection, largest, part_sql)

    def add(self, table: Table, file: Path) -> None:
        """Make a staged file readable as a table, so that other tables can be built from it."""
        add_view(self._connection, table, file)

    def replace(self, staged: Mapping[Table, Path]) -> None:
        """Make staged files readable in place of the published tables.

        The database is a new one, so the audit has the memory that the steps took.
        """
        self.close()
        self._open()
        for table, file in staged.items():
            self.add(table, file)


def make_step(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """Compute a step, unless it was computed for another table.

    A text column with few different values becomes an enumeration, in the order of the texts. Its
    values are then sorted, moved and encoded as numbers. At 10 million order lines the star takes
    13 CPU seconds, and 18 without it.
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
    model: Model,
    connection: duckdb.DuckDBPyConnection,
    largest: int,
    part_sql: PartSQL | None = None,
) -> pa.RecordBatchReader:
    """Return the rows of a table in their order, slice by slice."""
    parts = _slices(model, connection, largest // (SLICE_VERSIONS if part_sql else SLICE_ROWS))
    if part_sql:
        queries = [part_sql(part) for part in parts or ["true"]]
    else:
        queries = [f"select * from ({model.sql}) where {part}" for part in parts] or [model.sql]
    schema = connection.sql(f"select * from ({queries[0]}) limit 0").to_arrow_table().schema

    def batches() -> Iterator[pa.RecordBatch]:
        for query in queries:
            yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _slices(model: Model, connection: duckdb.DuckDBPyConnection, count: int) -> list[str]:
    """Return conditions that cut a table in slices, on the first column that it is sorted by.

    The `count` cuts are quantiles of the raw column from which that column is computed. With
    several raw columns, the table isn't cut.
    Orders are numbered as they come in, so each slice reads only a few row groups of order lines.
    Sorted in one piece, 10 million order lines don't fit in 96 MB. With 256 MB the process grows to
    484 MB, and in slices to 382 MB.
    """
    first = next(iter(model.contract.sorted_by), None)
    if first is None or len(model.column_lineage[first]) != 1:
        return []
    ((table, column),) = model.column_lineage[first]
    return slices(connection, f"raw.{quoted(table)}", column, count, first)


def slices(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, count: int, name: str
) -> list[str]:
    """Return conditions on the column `name` that cut a table in parts of about the same size.

    The `count` cuts are quantiles of `column`. The last condition selects its NULLs.
    """
    if not count:
        return []
    shares = [share / (count + 1) for share in range(1, count + 1)]
    ((cuts, type_),) = connection.execute(
        f"select quantile_disc({quoted(column)}, {shares}), any_value(typeof({quoted(column)})) "
        f"from {table}"
    ).fetchall()
    if not cuts:
        return []
    name = quoted(name)
    bounds = [f"cast({literal(str(cut))} as {type_})" for cut in sorted({*cuts})]
    between = [f"{name} > {above} and {name} <= {upto}" for above, upto in pairwise(bounds)]
    return [f"{name} <= {bounds[0]}", *between, f"{name} > {bounds[-1]}", f"{name} is null"]
