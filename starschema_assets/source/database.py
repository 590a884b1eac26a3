"""Interface of a source database whose tables are read in one snapshot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import duckdb
import pyarrow as pa

VECTOR_ROWS = 2048
"""DuckDB buffers this many rows before it passes them on."""
ROWS_BYTES = 16 * 1024**2
"""Limit for rows in memory, in each of the two or three buffers that they pass."""
COLUMN_BYTES = 16
EXAMPLE_LENGTH = 60
MAX_SPELLED_VALUES = 20
"""Maximum number of values per column; more would fill the metadata of the file."""

Figures = list[tuple[Any, ...]]


@dataclass(frozen=True)
class SourceColumn:
    """A column. `declared` is the source's type, e.g. `int(10) unsigned`; `type` is Athena's."""

    name: str
    declared: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class LeftOut:
    """A column of an unsupported type, which isn't read."""

    name: str
    declared: str
    reason: str


@dataclass(frozen=True)
class SourceTable:
    """A table: its columns in the order of the source, and the columns of its primary key."""

    name: str
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


class Described(NamedTuple):
    """Metadata of a column and its table, in addition to the type."""

    table: str
    kind: str
    """Kind of the table: `base table`, `view` or another value of `information_schema`."""
    table_comment: str
    column: str
    comment: str
    is_key: bool
    """True if the database reports the column as part of the key."""


@dataclass(frozen=True)
class Spelling:
    """One of several spellings that the source's collation treats as one value.

    Leading and trailing blanks are ignored.
    """

    column: str
    group: int
    """Number of the value within the column; all its spellings have the same number."""
    spelling: str
    rows: int


@dataclass(frozen=True)
class Census:
    """Figures of a table that the database computes in the snapshot."""

    rows: int
    widest: int
    """Bytes of the widest row; may be too high."""
    zero_dates: dict[str, int] = field(default_factory=dict)
    """Number of invalid dates, for each column that has any."""
    zero_date: dict[str, str] = field(default_factory=dict)
    """One invalid date of each of these columns, as text."""


@dataclass(frozen=True)
class Reading:
    """A query in DuckDB's SQL that reads some or all rows of a table."""

    sql: str
    presented: tuple[pa.DataType, ...]
    """Type that DuckDB must return for each column, before the cast."""


class Database(Protocol):
    """A source database. Creating an object opens no connection.

    Some methods return SQL for the database. Run it with the SQL that `ask` returns for it.
    """

    where: str
    """For messages: user, host and database."""
    name: str
    """Identifies the database in a lake's metadata: its location, without the user."""

    def now(self) -> datetime:
        """Return the time of a snapshot that starts now."""

    def columns(self) -> list[tuple[str, str, str, bool]]:
        """Return table, column, declared type and nullability of all columns, in order."""

    def keys(self) -> list[tuple[str, str]]:
        """Return table and column of all primary keys, in the order of the key's columns."""

    def described(self) -> list[Described]:
        """Return metadata of all columns of tables and views that the user may see, in order."""

    def example(self, table: str, column: str, declared: str) -> str:
        """Return one value of a column of any type, as text of up to EXAMPLE_LENGTH characters."""

    def begin(self, connection: duckdb.DuckDBPyConnection, snapshot_id: str) -> None:
        """Attach the database to DuckDB, and start a snapshot with this id."""

    def quoted(self, name: str) -> str:
        """Quote an identifier for the database's own SQL."""

    def ask(self, sql: str) -> str:
        """Return DuckDB's SQL that runs the database's SQL in the snapshot."""

    def snapshot_id(self) -> str:
        """Return SQL for the id of the snapshot in which it runs."""

    def census(self, table: SourceTable, counted: int | None) -> str:
        """Return SQL for the row count, the bytes of the widest row, and invalid dates.

        The number of invalid dates is one column for each column in `dated`. The rows needn't be
        counted if the database has `counted` them already.
        """

    def zero_date(self, table: SourceTable, column: str) -> str:
        """Return SQL for one of a column's invalid dates, as text."""

    def spellings(self, table: SourceTable, columns: Sequence[str]) -> str:
        """Return SQL for the spellings of values that have several.

        Its columns are the index of the column, the group (from 1), spelling and row count. Each
        column has up to MAX_SPELLED_VALUES groups.
        """

    def dated(self, table: SourceTable) -> list[str]:
        """Return the columns that may contain invalid dates."""

    def readings(
        self, table: SourceTable, census: Census, figures: Callable[[str], Figures]
    ) -> list[Reading]:
        """Return the queries that together read all rows. They return invalid dates as NULL."""
