"""What a kind of database has to offer so that its tables can be read in one snapshot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import duckdb
import pyarrow as pa

VECTOR_ROWS = 2048
"""DuckDB gathers this many rows before it hands any of them on."""
ROWS_BYTES = 16 * 1024**2
"""Memory that the rows on their way may take, at each of the two or three places they are in."""
COLUMN_BYTES = 16
EXAMPLE_LENGTH = 60
MAX_SPELLED_VALUES = 20
"""More of a column would help nobody, and fill the metadata of its file."""

Figures = list[tuple[Any, ...]]


@dataclass(frozen=True)
class SourceColumn:
    """A column: `declared` is the source's type, e.g. `int(10) unsigned`, `type` Athena's."""

    name: str
    declared: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class LeftOut:
    """A column whose type can't be held exactly."""

    name: str
    declared: str
    reason: str


@dataclass(frozen=True)
class SourceTable:
    """A table: its columns in the order of the source, and those of its primary key, if any."""

    name: str
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


class Described(NamedTuple):
    """What a database says of a column, and of its table, beside the type."""

    table: str
    kind: str
    """Of the table: `base table`, `view` or another kind that `information_schema` knows."""
    table_comment: str
    column: str
    comment: str
    is_key: bool
    """True if the database takes the column for a part of the key, where it tells."""


@dataclass(frozen=True)
class Spelling:
    """One of several spellings that the source takes for one value, outer blanks aside."""

    column: str
    group: int
    """The same for all spellings of a value of the column."""
    spelling: str
    rows: int


@dataclass(frozen=True)
class Census:
    """What the database itself says of a table in the snapshot."""

    rows: int
    widest: int
    """The bytes of the widest row, at least."""
    zero_dates: dict[str, int] = field(default_factory=dict)
    """Invalid dates, counted for each column that has any."""
    zero_date: dict[str, str] = field(default_factory=dict)
    """One of them, as text."""


@dataclass(frozen=True)
class Reading:
    """One query for the next rows of a table: DuckDB's, before any cast."""

    sql: str
    presented: tuple[pa.DataType, ...]
    """What DuckDB must present for each column."""


class Database(Protocol):
    """The source. Nothing connects before it is asked."""

    where: str
    """For messages: user, host and database."""
    name: str
    """What a lake remembers of the database that filled it: where it is, without the user."""

    def now(self) -> datetime:
        """The time at which a snapshot that begins now is taken."""

    def columns(self) -> list[tuple[str, str, str, bool]]:
        """Table, column, declared type, nullability: in the order of the tables' columns."""

    def keys(self) -> list[tuple[str, str]]:
        """Table and column of every primary key, in the order of its columns."""

    def described(self) -> list[Described]:
        """Every column of every table and view that the user may see, in order."""

    def example(self, table: str, column: str, declared: str) -> str:
        """One value of a column of any type, as text of at most EXAMPLE_LENGTH characters."""

    def begin(self, connection: duckdb.DuckDBPyConnection, snapshot_id: str) -> None:
        """Attach the database and begin a snapshot that knows its id."""

    def ask(self, sql: str) -> str:
        """DuckDB's SQL that lets the database answer a query in the snapshot."""

    def snapshot_id(self) -> str:
        """A query, in the database's own SQL, for the id of the snapshot it runs in."""

    def census(self, table: SourceTable) -> str:
        """A query: rows, widest row, and for each column of `dated` the number of zero dates."""

    def zero_date(self, table: SourceTable, column: str) -> str:
        """A query for one of a column's zero dates, as text."""

    def spellings(self, table: SourceTable, columns: Sequence[str]) -> str:
        """A query for index of the column, group (from 1), spelling, rows.

        At most MAX_SPELLED_VALUES groups a column.
        """

    def dated(self, table: SourceTable) -> list[str]:
        """The columns that may hold invalid dates."""

    def readings(
        self, table: SourceTable, census: Census, figures: Callable[[str], Figures]
    ) -> list[Reading]:
        """The queries that together give all rows; zero dates become NULL."""
