"""Reads a MySQL or MariaDB server: metadata by SQLAlchemy, rows by DuckDB's MySQL extension.

Types come from `information_schema`, because SQLAlchemy's reflection doesn't return the name of an
unknown type, and error messages need it.

Not covered by tests: RDS's certificate bundle, and MySQL 8.0 and 8.4, which Debian doesn't package.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from starschema_assets.engine import literal, load_extension, quoted
from starschema_assets.settings import Settings
from starschema_assets.source import mysql_sql
from starschema_assets.source.database import (
    EXAMPLE_LENGTH,
    ROWS_BYTES,
    VECTOR_ROWS,
    Census,
    Described,
    Figures,
    Reading,
    SourceColumn,
    SourceTable,
)
from starschema_assets.source.errors import SourceError, translated
from starschema_assets.source.secret import SourceSecret
from starschema_assets.source.tls import TLS
from starschema_assets.types import presented_types

Answer = TypeVar("Answer")

DEFAULT_PORT = 3306

EXTENSION_SETTINGS = {
    "mysql_tinyint1_as_boolean": "false",  # TINYINT(1) can hold -128 to 127
    "mysql_bit1_as_boolean": "true",
    "mysql_session_time_zone": "'+00:00'",
    "mysql_query_timeout_enabled": "false",  # if true, a statement is cancelled after 300 s
    "mysql_sql_buffer_result": "false",  # if true, the server copies the table first
}
SESSION = (
    "SET SESSION net_write_timeout = 3600, wait_timeout = 28800, lock_wait_timeout = 3600"
    f", sql_select_limit = {2**64 - 1}, sql_big_selects = 1"  # sql_big_selects: no max_join_size
    " /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */"
    " /*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0"
    f", max_session_mem_used = {2**63 - 1} */"
)
"""Runs on each connection. Removes limits that an administrator may have set for interactive users.

`net_write_timeout` is the wait for a slow client, `wait_timeout` the idle time between two queries,
`lock_wait_timeout` the wait for another session's table lock, in seconds. The others limit rows,
time and memory. MariaDB skips `/*!50708 … */` and MySQL skips `/*M! … */`, because each has
variables that the other one lacks.
"""


class MySQL:
    """Implements `Database` for MySQL and MariaDB."""

    def __init__(self, url: URL, settings: Settings) -> None:
        if unknown := set(url.query) - {"charset"}:
            raise SourceError(
                f"STARSCHEMA_SOURCE_URL: unsupported parameters {', '.join(sorted(unknown))}. "
                "Configure TLS with STARSCHEMA_SOURCE_TLS and STARSCHEMA_SOURCE_CA"
            )
        secret = settings.source_secret
        if not ((url.username or secret) and url.host and url.database):
            raise SourceError(
                "STARSCHEMA_SOURCE_URL needs user, host and database: "
                "mysql+pymysql://user:password@host:3306/database. "
                "With STARSCHEMA_SOURCE_SECRET, leave out user and password"
            )
        # For `localhost`, MySQL clients use a Unix socket, which may belong to another server
        host = "127.0.0.1" if url.host == "localhost" else url.host
        self._url = url.set(
            drivername="mysql+pymysql",
            host=host,
            port=url.port or DEFAULT_PORT,
            query={"charset": "utf8mb4"},
        )
        self._secret = SourceSecret(secret) if secret else None
        self._database = url.database
        self._tls = TLS.to(host, settings)
        user = "" if secret else f"{url.username}@"
        self.where = f"mysql://{user}{host}:{self._url.port}/{url.database}"
        self.name = f"mysql://{host.lower()}:{self._url.port}/{url.database}"

    def now(self) -> datetime:
        """Return the time of this machine's clock."""
        return datetime.now(UTC)

    def columns(self) -> list[tuple[str, str, str, bool]]:
        rows = self._declares(mysql_sql.COLUMNS)
        return [(table, column, type_, bool(null)) for table, column, type_, null in rows]

    def keys(self) -> list[tuple[str, str]]:
        return [(table, column) for table, column in self._declares(mysql_sql.KEYS)]

    def described(self) -> list[Described]:
        return [Described(*row) for row in self._declares(mysql_sql.DESCRIBED)]

    def example(self, table: str, column: str, declared: str) -> str:
        rows = self._declares(mysql_sql.example(table, column, declared))
        return str(rows[0][0])[:EXAMPLE_LENGTH] if rows else "NULL"

    def begin(self, connection: duckdb.DuckDBPyConnection, snapshot_id: str) -> None:
        """Attach the database and start a snapshot.

        It isn't attached READ_ONLY, because DuckDB would then reject `mysql_execute`.
        """
        # Connect with PyMySQL first. Its errors and timeouts are better. It verifies the
        # certificate's name also for 127.0.0.1, unlike the extension. Without TLS, MySQL's
        # caching_sha2_password needs one login with an RSA-encrypted password, after which the
        # server caches the password. The extension doesn't support RSA.
        self._declares("SELECT 1")
        load_extension(connection, "mysql_scanner")
        for name, value in EXTENSION_SETTINGS.items():
            connection.execute(f"SET {name} = {value}")
        self._logged_in(lambda url: self._attach(connection, url))
        connection.execute("BEGIN")
        _on_server(connection, SESSION)
        begin_snapshot(connection)
        _on_server(connection, f"SET @starschema_snapshot = '{snapshot_id}'")

    def quoted(self, name: str) -> str:
        """See `Database`."""
        return mysql_sql.quoted(name)

    def ask(self, sql: str) -> str:
        """Return DuckDB's SQL. A streamed query would run on a connection without the snapshot."""
        return f"FROM mysql_query('src', {literal(sql)}, stream_results = false)"

    def snapshot_id(self) -> str:
        return mysql_sql.SNAPSHOT_ID

    def census(self, table: SourceTable, counted: int | None) -> str:
        return mysql_sql.census(table, self.dated(table), counted)

    def zero_date(self, table: SourceTable, column: str) -> str:
        return mysql_sql.zero_date(table, column)

    def spellings(self, table: SourceTable, columns: Sequence[str]) -> str:
        return mysql_sql.spellings(table, columns)

    def dated(self, table: SourceTable) -> list[str]:
        return [column.name for column in table.columns if column.type in {"date", "timestamp"}]

    def readings(
        self, table: SourceTable, census: Census, figures: Callable[[str], Figures]
    ) -> list[Reading]:
        """Return one streamed query for the table, or several slices if streaming would fail.

        DuckDB's scan can't quote some names, mixes up tables whose names differ only in case, fails
        on dates such as `2025-02-31`, and always buffers 2,048 rows, even wide ones.
        """
        names = [table.name, *(column.name for column in table.columns)]
        if (
            not census.zero_dates
            and census.widest * VECTOR_ROWS <= ROWS_BYTES
            and not any("`" in name or "\\" in name for name in [self._database, *names])
            and not figures(mysql_sql.NAMES_THAT_DIFFER_IN_CASE)[0][0]
        ):
            return [self._stream(table)]
        return self._slices(table, census, figures)

    def _stream(self, table: SourceTable) -> Reading:
        columns = ", ".join(map(_streamed, table.columns))
        path = f"src.{quoted(self._database)}.{quoted(table.name)}"
        return Reading(
            f"SELECT {columns} FROM {path}", presented_types(c.declared for c in table.columns)
        )

    def _slices(
        self, table: SourceTable, census: Census, figures: Callable[[str], Figures]
    ) -> list[Reading]:
        """Return slices in key order; a table without a key is read in one query."""
        slices = [census.rows]
        if table.key:
            slices = [rows for (rows,) in figures(mysql_sql.rows_of_slices(table))]
        presented = tuple(
            pa.string() if column.type.startswith("decimal") else type_
            for column, type_ in zip(
                table.columns, presented_types(c.declared for c in table.columns), strict=True
            )
        )
        starts = [sum(slices[:index]) for index in range(len(slices))]
        return [
            Reading(self.ask(mysql_sql.rows(table, census.zero_dates, rows, start)), presented)
            for rows, start in zip(slices, starts, strict=True)
        ]

    def _logged_in(self, connect: Callable[[URL], Answer]) -> Answer:
        """Call `connect` with the complete URL and return its result.

        User and password come from the URL or the secret.
        """
        if self._secret is None:
            return connect(self._url)
        return self._secret.log_in(
            lambda login: connect(
                self._url.set(username=login.user, password=login.password.get_secret_value())
            )
        )

    def _declares(self, sql: str) -> list[tuple[Any, ...]]:
        return self._logged_in(lambda url: self._ask(url, sql))

    def _ask(self, url: URL, sql: str) -> list[tuple[Any, ...]]:
        options = {**self._tls.for_pymysql(), "init_command": SESSION}
        engine = create_engine(url, connect_args=options, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(sql.replace(":", r"\:")))]
        except DBAPIError as error:
            raise translated(str(error.orig.args[-1]) if error.orig else "", self.where) from None

    def _attach(self, connection: duckdb.DuckDBPyConnection, url: URL) -> None:
        values = {
            "host": str(url.host),
            "port": str(url.port or DEFAULT_PORT),
            "user": str(url.username),
            "password": url.password or "",
            "database": self._database,
            **self._tls.for_duckdb(),
        }
        # Not passed as parameters: to bind a value, DuckDB imports pandas (35 MB)
        parameters = ", ".join(f"{name} {literal(value)}" for name, value in values.items())
        try:
            connection.execute(f"CREATE OR REPLACE SECRET source (TYPE mysql, {parameters})")
            connection.execute("ATTACH 'compression=disabled' AS src (TYPE mysql, SECRET source)")
        except duckdb.Error as error:
            raise translated(error, self.where) from None


def begin_snapshot(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the transaction that DuckDB opened on the server by a consistent snapshot."""
    for statement in (
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "COMMIT",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ):
        _on_server(connection, statement)


def _streamed(column: SourceColumn) -> str:
    """Return the SQL of a streamed column. Adds zeros to TIME(n) values without a fraction."""
    name = quoted(column.name)
    if fraction := re.fullmatch(r"time\((\d)\)", column.declared):
        zeros = literal("." + "0" * int(fraction[1]))
        return f"if(contains({name}, '.'), {name}, {name} || {zeros}) AS {name}"
    return name


def _on_server(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    connection.execute(f"CALL mysql_execute('src', {literal(statement)})")
