"""Loads the sample into a MySQL database in chunks, with LOAD DATA LOCAL INFILE."""

import logging
import tempfile
from pathlib import Path
from typing import cast

import duckdb
import pymysql
import sqlalchemy
from pymysql.cursors import Cursor

from starschema_assets.errors import StarschemaError
from starschema_assets.sample.generate import SCALE, SEED, generate
from starschema_assets.sample.schema import mysql_foreign_keys, mysql_tables

CHUNK_ROWS = 500_000

log = logging.getLogger(__name__)


class LoadError(StarschemaError):
    """The sample can't be loaded into the database; the message says what to do."""


def load(url: sqlalchemy.URL, scratch: Path, scale: int = SCALE, seed: int = SEED) -> None:
    """Load the sample into the database of a URL. Raises LoadError like `load_into`."""
    if url.get_backend_name() not in {"mysql", "mariadb"} or not url.database:
        raise LoadError(
            "--into: give a URL of the form mysql+pymysql://user:password@host:3306/database"
        )
    engine = sqlalchemy.create_engine(
        url.set(drivername="mysql+pymysql"),
        connect_args={"local_infile": True, "autocommit": True, "charset": "utf8mb4"},
    )
    pooled = engine.raw_connection()
    try:
        server = cast("pymysql.Connection[Cursor]", pooled.driver_connection)
        load_into(server, scratch, scale, seed)
    finally:
        pooled.close()
        engine.dispose()


def load_into(
    server: "pymysql.Connection[Cursor]", scratch: Path, scale: int = SCALE, seed: int = SEED
) -> None:
    """Create the eight tables and fill them, in bounded memory.

    The connection needs autocommit and local_infile. The generated rows are temporarily stored in
    `scratch`, about 30 MB for a million order lines. Raises LoadError if one of the tables exists,
    or if the server would change a value.
    """
    _refuse_unready_server(server)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sample-", dir=scratch) as directory:
        rows = Path(directory) / "sample.duckdb"
        generate(rows, scale, seed, keys=False)
        with duckdb.connect(rows, read_only=True) as sample:
            sample.execute("SET memory_limit = '256MB'")
            _fill(server, sample, Path(directory) / "chunk.csv")


def _refuse_unready_server(server: "pymysql.Connection[Cursor]") -> None:
    with server.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name IN %s ORDER BY table_name",
            [tuple(mysql_tables())],
        )
        found = ", ".join(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT @@local_infile")
        ((local_infile,),) = cursor.fetchall()
    if found:
        raise LoadError(
            f"The database already has the tables {found}. "
            "Drop them, or give the URL of an empty database."
        )
    if not local_infile:
        raise LoadError(
            "The server doesn't allow LOAD DATA LOCAL. "
            "Ask an administrator to run SET GLOBAL local_infile = 1."
        )


def _fill(
    server: "pymysql.Connection[Cursor]", sample: duckdb.DuckDBPyConnection, chunk: Path
) -> None:
    with server.cursor() as cursor:
        # The server's default mode may give quotes and backslashes another meaning.
        cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
        # Foreign keys are added at the end without a check; with it, MySQL would copy the table.
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        for creation in mysql_tables().values():
            cursor.execute(creation)
        for table in mysql_tables():
            _fill_table(server, sample, table, chunk)
        for alteration in mysql_foreign_keys():
            cursor.execute(alteration)


def _fill_table(
    server: "pymysql.Connection[Cursor]",
    sample: duckdb.DuckDBPyConnection,
    table: str,
    chunk: Path,
) -> None:
    columns = sample.execute(
        "SELECT column_name, data_type = 'BLOB' FROM duckdb_columns() "
        "WHERE table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    exported = ", ".join(f"hex({name})" if binary else name for name, binary in columns)
    statement = _load_statement(table, columns)
    ((total,),) = sample.execute(f"SELECT count(*) FROM {table}").fetchall()
    for first in range(0, total, CHUNK_ROWS):
        end = min(first + CHUNK_ROWS, total)
        sample.execute(
            f"COPY (SELECT {exported} FROM {table} WHERE rowid >= {first} AND rowid < {end}) "
            f"TO '{chunk}' (FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR 'NULL')"
        )
        _load_chunk(server, table, statement, chunk, end - first)
        log.info("%s: %s of %s rows", table, f"{end:,}", f"{total:,}")


def _load_statement(table: str, columns: list[tuple[str, bool]]) -> str:
    """Return the LOAD DATA statement. It reads an unquoted NULL as NULL, and a quoted one as text.

    This needs an empty escape character.
    """
    fields = ", ".join(f"@{name}" if binary else name for name, binary in columns)
    binaries = ", ".join(f"{name} = UNHEX(@{name})" for name, binary in columns if binary)
    return (
        f"LOAD DATA LOCAL INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4 "
        "FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' "
        f"({fields})" + (f" SET {binaries}" if binaries else "")
    )


def _load_chunk(
    server: "pymysql.Connection[Cursor]", table: str, statement: str, chunk: Path, rows: int
) -> None:
    """Load a chunk. Raises LoadError on any warning, because LOCAL turns errors into warnings."""
    with server.cursor() as cursor:
        loaded = cursor.execute(statement, [str(chunk)])
        cursor.execute("SHOW WARNINGS")
        for _level, _code, message in cursor.fetchall():
            raise LoadError(f"The server would change values in table {table}: {message}")
    if loaded != rows:
        raise LoadError(f"Table {table}: only {loaded} of {rows} rows were loaded.")
