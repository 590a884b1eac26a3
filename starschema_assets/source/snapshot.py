"""Reads rows and figures of the source, all from one consistent snapshot."""

from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import duckdb
import pyarrow as pa

from starschema_assets.settings import Settings
from starschema_assets.source.database import (
    ROWS_BYTES,
    VECTOR_ROWS,
    Census,
    Database,
    Figures,
    Reading,
    SourceTable,
    Spelling,
)
from starschema_assets.source.errors import (
    ConnectionLost,
    RowsMissing,
    ValueRefused,
    translated,
)
from starschema_assets.types import arrow_type

MAX_BATCH_ROWS = 32_768

Progress = Callable[[int], None]
"""Called after each batch with the number of rows read so far."""


class Snapshot:
    """A consistent snapshot of the source. It is valid in the `with` block of `Source.snapshot`."""

    def __init__(
        self, database: Database, connection: duckdb.DuckDBPyConnection, settings: Settings
    ) -> None:
        self.taken_at = database.now()
        self.id = f"{self.taken_at:%Y%m%dT%H%M%S.%fZ}-{uuid4().hex[:8]}"
        self.zero_dates: dict[str, dict[str, int]] = {}
        """For each table and column, the number of invalid dates that are read as NULL."""
        self._database = database
        self._connection = connection
        self._refuse_zero_dates = settings.zero_dates == "refuse"
        self._censuses: dict[str, Census] = {}
        self._being_read: str | None = None
        try:
            connection.execute("SET enable_progress_bar = false")
            database.begin(connection, self.id)
        except duckdb.Error as error:
            raise translated(error, database.where) from None

    def count(self, table: SourceTable, counted: int | None = None) -> int:
        """Return the number of rows of a table, as counted by the database.

        If a query of `figures` has `counted` them already, the database doesn't count again.
        """
        return self._census(table, counted).rows

    def figures(self, sql: str) -> Figures:
        """Run a query with few result rows in the database and return its rows.

        MySQL's sums are returned as floats; `CAST(SUM(...) AS CHAR)` keeps every digit.
        """
        if self._being_read:
            raise RuntimeError(f"{self._being_read} is still being read: read it to its end first")
        try:
            return self._connection.execute(self._database.ask(sql)).fetchall()
        except duckdb.Error as error:
            raise translated(error, self._database.where) from None

    def quoted(self, name: str) -> str:
        """Quote a name for a query of `figures`, so that it may be a reserved word."""
        return self._database.quoted(name)

    def spellings(self, table: SourceTable, columns: Sequence[str]) -> list[Spelling]:
        """Return values of text columns that are equal in the collation but differ in bytes."""
        names = [c.name for c in table.columns if c.name in columns and c.type == "string"]
        if not names:
            return []
        found = self.figures(self._database.spellings(table, names))
        return [Spelling(names[index], *rest) for index, *rest in found]

    def read(self, table: SourceTable, progress: Progress | None = None) -> pa.RecordBatchReader:
        """Return all rows of a table, in batches of bounded size.

        Read it to the end before reading another table. A column is nullable if it is declared so,
        or if it has invalid dates that become NULL. Raises ValueRefused or ConnectionLost, or
        RowsMissing after the last row.
        """
        census = self._census(table)
        readings = self._database.readings(table, census, self.figures)
        fields = [
            pa.field(
                column.name,
                arrow_type(column.type),
                nullable=column.nullable or column.name in census.zero_dates,
            )
            for column in table.columns
        ]
        schema = pa.schema(fields)
        batches = self._batches(table, readings, schema, progress)
        return pa.RecordBatchReader.from_batches(schema, batches)

    def verify(self) -> None:
        """Raise ConnectionLost if DuckDB has replaced the snapshot's connection by a new one."""
        answer = self.figures(self._database.snapshot_id())
        if answer != [(self.id,)]:
            raise ConnectionLost(f"{self._database.where}: the snapshot was lost; run again")

    def _census(self, table: SourceTable, counted: int | None = None) -> Census:
        if table.name not in self._censuses:
            census = self._ask_census(table, counted)
            if census.zero_dates and self._refuse_zero_dates:
                raise ValueRefused(_zero_dates(table, census))
            if census.zero_dates:
                self.zero_dates[table.name] = census.zero_dates
            self._censuses[table.name] = census
        return self._censuses[table.name]

    def _ask_census(self, table: SourceTable, counted: int | None) -> Census:
        rows, widest, *dates = self.figures(self._database.census(table, counted))[0]
        counts = zip(self._database.dated(table), dates, strict=True)
        zero_dates = {column: count for column, count in counts if count}
        examples = {
            column: str(self.figures(self._database.zero_date(table, column))[0][0])
            for column in zero_dates
        }
        return Census(rows, widest, zero_dates, examples)

    def _batches(
        self,
        table: SourceTable,
        readings: Sequence[Reading],
        schema: pa.Schema,
        progress: Progress | None,
    ) -> Iterator[pa.RecordBatch]:
        rows = 0
        self._being_read = table.name
        try:
            for reading in readings:
                for batch in self._presented(table, reading):
                    rows += batch.num_rows
                    yield _cast(table, batch, schema)
                    if progress:
                        progress(rows)
        finally:
            self._being_read = None
        self._check_rows(table, rows)

    def _check_rows(self, table: SourceTable, rows: int) -> None:
        if rows != self.count(table):
            raise RowsMissing(
                f"{table.name}: {rows} rows were read, but {self._database.where} counts "
                f"{self.count(table)} in the same snapshot. The rows aren't used; run again"
            )

    def _presented(self, table: SourceTable, reading: Reading) -> Iterator[pa.RecordBatch]:
        size = ROWS_BYTES // max(self._census(table).widest, 1)
        size = min(max(size, VECTOR_ROWS), MAX_BATCH_ROWS)
        try:
            reader = self._connection.execute(reading.sql).to_arrow_reader(size)
            _compare_types(table, reading, reader.schema)
            yield from reader
        except (duckdb.Error, OSError) as error:
            where = f"{self._database.where}, reading {table.name}"
            raise translated(error, where) from None


def _compare_types(table: SourceTable, reading: Reading, actual: pa.Schema) -> None:
    for column, expected, presented in zip(
        table.columns, reading.presented, actual.types, strict=True
    ):
        # Text of a query in a binary collation is returned as bytes; the cast verifies its UTF-8
        text = pa.types.is_string(expected) and pa.types.is_binary(presented)
        if presented != expected and not text:
            raise ValueRefused(
                f"The source declares {table.name}.{column.name} as {column.declared}. DuckDB "
                f"should return {expected}, but returns {presented}. If the column was altered "
                "during the run, run again; otherwise read it from a view that casts it"
            )


def _cast(table: SourceTable, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Cast a batch to the declared types. Raises ValueRefused if a value doesn't fit."""
    columns = []
    for column, presented, field in zip(table.columns, batch.columns, schema, strict=True):
        try:
            columns.append(presented.cast(field.type, safe=True))
        except pa.ArrowInvalid as error:
            raise ValueRefused(
                f"{table.name}.{column.name}, declared as {column.declared}: {error}"
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _zero_dates(table: SourceTable, census: Census) -> str:
    found = "; ".join(
        f"{table.name}.{column} has {count} such as '{census.zero_date[column]}'"
        for column, count in census.zero_dates.items()
    )
    return (
        f"Invalid dates: {found}. Correct them at the source, or set "
        "STARSCHEMA_ZERO_DATES=null to read them as NULL"
    )
