"""Opens the database in STARSCHEMA_SOURCE_URL: a MySQL or MariaDB server, or a DuckDB file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import duckdb
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from starschema_assets import engine
from starschema_assets.engine import literal, quoted
from starschema_assets.settings import Settings
from starschema_assets.source.database import (
    COLUMN_BYTES,
    EXAMPLE_LENGTH,
    Census,
    Database,
    Described,
    Figures,
    LeftOut,
    Reading,
    SourceColumn,
    SourceTable,
)
from starschema_assets.source.errors import SourceError, TableMissing, translated
from starschema_assets.source.mysql import MySQL
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.types import UnsupportedType, presented_types, source_type

__all__ = ["Source", "SourceColumn", "SourceTable"]

_COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable
FROM duckdb_columns()
WHERE database_name = 'src' AND schema_name = 'main'
ORDER BY table_name, column_index
"""
_KEYS = """
SELECT table_name, unnest(constraint_column_names)
FROM duckdb_constraints()
WHERE database_name = 'src' AND schema_name = 'main' AND constraint_type = 'PRIMARY KEY'
"""
_DESCRIBED = """
SELECT table_name, lower(table_type), coalesce(table_comment, ''), column_name,
    coalesce(column_comment, ''), false
FROM information_schema.tables
JOIN information_schema.columns USING (table_catalog, table_schema, table_name)
WHERE table_catalog = 'src' AND table_schema = 'main'
ORDER BY table_name, ordinal_position
"""

_LENGTHS = {"string": "strlen", "binary": "octet_length"}


class Source:
    """The operational database: metadata, and rows in one snapshot. Connects at the first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _database(self) -> Database:
        return _database(self._settings)

    @property
    def name(self) -> str:
        """Identifies the database in a lake's metadata."""
        return self._database.name

    def declared(self, tables: Iterable[str]) -> dict[str, SourceTable]:
        """Return the metadata of those tables that exist. Raises TableMissing if none exists."""
        found: dict[str, list[tuple[str, str, bool]]] = {}
        for table, column, type_, nullable in self._database.columns():
            found.setdefault(table, []).append((column, type_, nullable))
        keys = self._database.keys()
        wanted = list(tables)
        if wanted and found.keys().isdisjoint(wanted):
            raise TableMissing(
                f"{self._database.where} has no table {', '.join(wanted)}, or the user has no "
                f"SELECT privilege on it. Available tables: {', '.join(sorted(found)) or 'none'}"
            )
        return {
            table: _table(table, found[table], [column for of, column in keys if of == table])
            for table in wanted
            if table in found
        }

    def described(self) -> list[Described]:
        return self._database.described()

    def example(self, table: SourceTable, column: LeftOut) -> str:
        """Return one value of a column that isn't read, as text."""
        return self._database.example(table.name, column.name, column.declared)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Yield one consistent snapshot of all tables. Raises ConnectionLost if it was lost."""
        with engine.connect(self._settings) as connection:
            snapshot = Snapshot(self._database, connection, self._settings)
            yield snapshot
            snapshot.verify()


def _table(name: str, declared: Iterable[tuple[str, str, bool]], key: Iterable[str]) -> SourceTable:
    columns, left_out = [], []
    for column, type_, nullable in declared:
        try:
            columns.append(SourceColumn(column, type_, source_type(type_).athena, nullable))
        except UnsupportedType as error:
            left_out.append(LeftOut(column, type_, str(error)))
    return SourceTable(name, tuple(columns), tuple(key), tuple(left_out))


def _database(settings: Settings) -> Database:
    url = _url(settings)
    if url and url.get_backend_name() in {"mysql", "mariadb"}:
        return MySQL(url, settings)
    if settings.source_secret:
        raise SourceError(
            "STARSCHEMA_SOURCE_SECRET is set, so STARSCHEMA_SOURCE_URL must be of the form "
            "mysql+pymysql://host:3306/database"
        )
    if url and url.get_backend_name() == "duckdb":
        return DuckDBFile(url)
    raise SourceError(
        "STARSCHEMA_SOURCE_URL must be of the form mysql+pymysql://user:password@host:3306/database"
        " (characters such as @ / : % in the password URL-encoded), or duckdb:////absolute/path"
    )


def _url(settings: Settings) -> URL | None:
    """Return the URL, or None if invalid. The parser's error could contain the password."""
    try:
        return make_url(settings.source_url.get_secret_value())
    except (ArgumentError, ValueError):
        return None


class DuckDBFile:
    """Implements `Database` for a DuckDB file. It is attached READ_ONLY, so it doesn't change."""

    def __init__(self, url: URL) -> None:
        if not url.database:
            raise SourceError("STARSCHEMA_SOURCE_URL needs a file: duckdb:////absolute/path")
        self._file = Path(url.database)
        self.where = f"duckdb:///{self._file}"
        self.name = f"the DuckDB file {self._file.name}"  # wherever its folder is moved to

    def now(self) -> datetime:
        """Return this machine's time plus the days in the table `_clock`, if it exists."""
        has_clock = any(table == "_clock" for table, *_ in self.columns())
        days = self._declares("SELECT days FROM src._clock")[0][0] if has_clock else 0
        return datetime.now(UTC) + timedelta(days=days)

    def columns(self) -> list[tuple[str, str, str, bool]]:
        return self._declares(_COLUMNS)

    def keys(self) -> list[tuple[str, str]]:
        return self._declares(_KEYS)

    def described(self) -> list[Described]:
        return [Described(*row) for row in self._declares(_DESCRIBED)]

    def example(self, table: str, column: str, declared: str) -> str:  # noqa: ARG002
        name = quoted(column)
        rows = self._declares(
            f"SELECT CAST({name} AS VARCHAR) FROM src.{quoted(table)}"
            f" WHERE {name} IS NOT NULL LIMIT 1"
        )
        return str(rows[0][0])[:EXAMPLE_LENGTH] if rows else "NULL"

    def begin(self, connection: duckdb.DuckDBPyConnection, snapshot_id: str) -> None:
        self._attach(connection)
        connection.execute("USE src")
        connection.execute(f"SET VARIABLE snapshot = {literal(snapshot_id)}")
        connection.execute("BEGIN")

    def quoted(self, name: str) -> str:
        """See `Database`."""
        return quoted(name)

    def ask(self, sql: str) -> str:
        return sql

    def snapshot_id(self) -> str:
        return "SELECT getvariable('snapshot')"

    def census(self, table: SourceTable, counted: int | None) -> str:  # noqa: ARG002 - it's fast
        lengths = [
            f"coalesce({_LENGTHS[column.type]}({quoted(column.name)}), 0)"
            for column in table.columns
            if column.type in _LENGTHS
        ]
        widest = " + ".join([str(COLUMN_BYTES * len(table.columns)), *lengths])
        return f"SELECT count(*), coalesce(max({widest}), 0) FROM src.{quoted(table.name)}"

    def zero_date(self, table: SourceTable, column: str) -> str:  # noqa: ARG002 - has none
        return "SELECT NULL"

    def spellings(self, table: SourceTable, columns: Sequence[str]) -> str:  # noqa: ARG002
        """Return SQL without rows: DuckDB compares text by its bytes, so spellings can't differ."""
        return "SELECT NULL WHERE false"

    def dated(self, table: SourceTable) -> list[str]:  # noqa: ARG002 - DuckDB has no zero dates
        return []

    def readings(
        self,
        table: SourceTable,
        census: Census,  # noqa: ARG002
        figures: Callable[[str], Figures],  # noqa: ARG002
    ) -> list[Reading]:
        columns = ", ".join(quoted(column.name) for column in table.columns)
        return [
            Reading(
                f"SELECT {columns} FROM src.{quoted(table.name)}",
                presented_types(c.declared for c in table.columns),
            )
        ]

    def _declares(self, sql: str) -> Figures:
        with duckdb.connect() as connection:
            try:
                self._attach(connection)
                return connection.execute(sql).fetchall()
            except duckdb.Error as error:
                raise translated(error, self.where) from None

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        if not self._file.is_file():
            raise SourceError(
                f"STARSCHEMA_SOURCE_URL: there is no file {self._file}. Correct the path, or "
                "unset the variable, and `make run` generates the sample"
            )
        connection.execute(f"ATTACH {literal(str(self._file))} AS src (READ_ONLY)")
