"""The engine of one machine: DuckDB, kept within its memory."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from starschema_assets.errors import StarschemaError
from starschema_assets.settings import Settings


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Open an empty in-memory database that spills to the scratch directory."""
    try:
        settings.scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StarschemaError(f"STARSCHEMA_SCRATCH: the folder can't be made: {error}") from error
    return duckdb.connect(
        config={
            "memory_limit": settings.memory_limit,
            "temp_directory": str(settings.scratch / "duckdb"),
            "autoinstall_known_extensions": False,  # nothing is fetched while a pipeline runs
        }
    )


@dataclass(frozen=True)
class DuckDBTables:
    """The tables and views of a connection, for an audit to ask."""

    connection: duckdb.DuckDBPyConnection

    def fetch(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Columns and rows of a query."""
        result = self.connection.execute(query)
        return [column[0] for column in result.description], result.fetchall()

    def suspects(self, table: str, key: Sequence[str]) -> str:
        """See `Tables`: in a file sorted by the key, it takes no memory to find that it is one."""
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


def quoted(name: str) -> str:
    """An identifier in SQL, e.g. `"order"`."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL, e.g. `'it''s'`."""
    return "'" + text.replace("'", "''") + "'"


def add_view(connection: duckdb.DuckDBPyConnection, path: tuple[str, str], parquet: Path) -> None:
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
    """Let the connection read the lake's files by their URIs, with the AWS default chain on S3."""
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
