"""Fuzz tests: Parquet files have the same values as a real MariaDB or MySQL."""

import logging
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pymysql
import pytest
from hypothesis import event, example, given, reject
from pyarrow import parquet as pq

from starschema_assets import types
from starschema_assets.lake.local import LocalLake
from starschema_assets.settings import Settings
from starschema_assets.source import mysql, mysql_sql
from starschema_assets.source.errors import ValueRefused
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.source.conftest import Shop, create_shop
from starschema_assets_tests.source.fuzzed_tables import Column, Table, tables
from starschema_assets_tests.source.fuzzed_types import CHARSETS, REFUSED_TYPES, TYPES
from starschema_assets_tests.source.oracle import NoDate, Oracle, Row, kind

OF_DUCKDB = {"utinyint", "usmallint", "uinteger", "ubigint"}
"""Types of DuckDB that MySQL doesn't have."""


NOT_IN = {"MariaDB": {"gb18030"}, "MySQL": set[str]()}
"""Character sets that a server doesn't support."""


@dataclass(frozen=True)
class Fuzzed:
    """A database with one table, the oracle for its values, and a lake."""

    shop: Shop
    oracle: Oracle
    lake: LocalLake

    def write(self, name: str, zero_dates: str) -> tuple[pa.Schema, Path]:
        """Extract the table; return the expected schema and the file."""
        source = self.shop.source(zero_dates=zero_dates)
        table = source.declared([name])[name]
        # A new name, because DuckDB may cache a file of the same name within a second
        file = self.shop.scratch / f"{uuid.uuid4()}.parquet"
        with source.snapshot() as snapshot, self.lake.lock("fuzz", logging.getLogger()):
            rows = snapshot.read(table)
            path = ("raw", "fuzzed")
            staged = self.lake.stage(path, rows, "fuzz")
            staged.path.rename(file)
        columns = [(column.name, types.arrow_type(column.type)) for column in table.columns]
        return pa.schema(columns), file


@pytest.fixture(scope="module")
def fuzzed(server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzz")
    shop = create_shop(server, folder)
    oracle = Oracle(shop)
    yield Fuzzed(shop, oracle, LocalLake(folder / "lake", Settings()))
    oracle.close()


def test_no_type_of_the_mapping_and_no_character_set_is_left_out(server: DatabaseServer) -> None:
    assert TYPES.keys() == types._SOURCE.keys() - OF_DUCKDB | {"decimal"}  # noqa: SLF001
    known = server.execute("SELECT character_set_name FROM information_schema.character_sets")
    assert set(CHARSETS) - NOT_IN[server.name] == set(known.split()) - {"binary"}


@given(table=tables())
@example(Table("slice", (Column("slice", "date", ("'2025-02-31'", "'2025-03-01'")),), key=1))
@example(
    Table(
        "`",
        (Column(" a", "int", ("1",)), Column("a", "int", ("2",)), Column("\b", "int", ("3",))),
    )
)
@example(Table("t", (Column("a", "int", ("1",)), Column("b", "point", ("POINT(1, 2)",)))))
@example(Table("t", (Column("a", "time(1)", ("'00:59:59'", "'01:00:00.5'")),)))
def test_what_comes_out_is_what_the_server_says(fuzzed: Fuzzed, table: Table) -> None:
    try:
        name = fuzzed.oracle.create(table)
    except pymysql.MySQLError as error:
        event(f"not a table: {error}")  # MySQL has no uuid, and no scale above 30
        reject()
    with pytest.MonkeyPatch.context() as patch:
        if table.slice_bytes:
            patch.setattr(mysql_sql, "ROWS_BYTES", table.slice_bytes)
            patch.setattr(mysql, "ROWS_BYTES", table.slice_bytes)
        held = tuple(c for c in table.columns if kind(c) not in REFUSED_TYPES)
        event(f"{len(table.columns) - len(held)} columns are left out")
        held_table = replace(table, columns=held)
        assert_comes_out(fuzzed, name, held_table, fuzzed.oracle.rows(held_table))


def assert_comes_out(fuzzed: Fuzzed, name: str, table: Table, rows: list[Row]) -> None:
    """Assert that two readers find all values; invalid dates are rejected, or NULL."""
    told = [
        (f"{name}.{column.name} has ", f" such as '{value}'")
        for row in rows
        for column, value in zip(table.columns, row, strict=True)
        if isinstance(value, NoDate)
    ]
    if told:
        event("dates are refused")
        with pytest.raises(ValueRefused) as refused:
            fuzzed.write(name, "refuse")
        assert any(who in str(refused.value) and what in str(refused.value) for who, what in told)
    event(f"{len(rows)} rows")
    schema, file = fuzzed.write(name, "null")
    expected = Counter(tuple(None if isinstance(v, NoDate) else v for v in row) for row in rows)
    for read in (pq.read_table(file), duckdb.read_parquet(str(file)).to_arrow_table()):
        assert read.schema.remove_metadata() == schema
        assert Counter(zip(*(c.to_pylist() for c in read.columns), strict=True)) == expected
