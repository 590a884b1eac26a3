"""An embedded DuckDB file as a source: the sample database, or one of your own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
from sqlalchemy.engine import URL

from starschema_assets.engine import literal, quoted
from starschema_assets.source.database import (
    COLUMN_BYTES,
    EXAMPLE_LENGTH,
    Census,
    Figures,
    Reading,
    SourceTable,
    presented_types,
)
from starschema_assets.source.errors import SourceError, translated

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


class DuckDBFile:
    """The database in a file, attached READ_ONLY: what is read of it is one snapshot."""

    def __init__(self, url: URL) -> None:
        if not url.database:
            raise SourceError("STARSCHEMA_SOURCE_URL needs a file: duckdb:////absolute/path")
        self._file = Path(url.database)
        self.where = f"duckdb:///{self._file}"
        self.name = f"the DuckDB file {self._file.name}"  # wherever its folder is moved to

    def columns(self) -> list[tuple[str, str, str, bool]]:
        """See `Database`."""
        return self._declares(_COLUMNS)

    def keys(self) -> list[tuple[str, str]]:
        """See `Database`."""
        return self._declares(_KEYS)

    def example(self, table: str, column: str, declared: str) -> str:  # noqa: ARG002
        """See `Database`."""
        name = quoted(column)
        rows = self._declares(
            f"SELECT CAST({name} AS VARCHAR) FROM src.{quoted(table)}"
            f" WHERE {name} IS NOT NULL LIMIT 1"
        )
        return str(rows[0][0])[:EXAMPLE_LENGTH] if rows else "NULL"

    def begin(self, connection: duckdb.DuckDBPyConnection, snapshot_id: str) -> None:
        """See `Database`."""
        self._attach(connection)
        connection.execute("USE src")
        connection.execute(f"SET VARIABLE snapshot = {literal(snapshot_id)}")
        connection.execute("BEGIN")

    def ask(self, sql: str) -> str:
        """See `Database`."""
        return sql

    def snapshot_id(self) -> str:
        """See `Database`."""
        return "SELECT getvariable('snapshot')"

    def census(self, table: SourceTable) -> str:
        """See `Database`."""
        lengths = [
            f"coalesce({_LENGTHS[column.type]}({quoted(column.name)}), 0)"
            for column in table.columns
            if column.type in _LENGTHS
        ]
        widest = " + ".join([str(COLUMN_BYTES * len(table.columns)), *lengths])
        return f"SELECT count(*), coalesce(max({widest}), 0) FROM src.{quoted(table.name)}"

    def zero_date(self, table: SourceTable, column: str) -> str:  # noqa: ARG002 - nor one of them
        """See `Database`."""
        return "SELECT NULL"

    def spellings(self, table: SourceTable, columns: Sequence[str]) -> str:  # noqa: ARG002
        """See `Database`: text is compared by its bytes, so there is never one of several."""
        return "SELECT NULL WHERE false"

    def dated(self, table: SourceTable) -> list[str]:  # noqa: ARG002 - DuckDB has no zero dates
        """See `Database`."""
        return []

    def readings(
        self,
        table: SourceTable,
        census: Census,  # noqa: ARG002
        figures: Callable[[str], Figures],  # noqa: ARG002
    ) -> list[Reading]:
        """See `Database`."""
        columns = ", ".join(quoted(column.name) for column in table.columns)
        return [Reading(f"SELECT {columns} FROM src.{quoted(table.name)}", presented_types(table))]

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
                f"STARSCHEMA_SOURCE_URL: there is no file {self._file}; "
                "name another, or unset the variable and `make run` makes the sample"
            )
        connection.execute(f"ATTACH {literal(str(self._file))} AS src (READ_ONLY)")


_LENGTHS = {"string": "strlen", "binary": "octet_length"}
