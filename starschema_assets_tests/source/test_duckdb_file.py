"""Tests for a DuckDB file as the source."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from starschema_assets.settings import Settings
from starschema_assets.source.database import LeftOut
from starschema_assets.source.errors import SourceError, TableMissing
from starschema_assets.source.source import Source


def source_of(tmp_path: Path, script: str) -> Source:
    """Create a file with a script, and return it as a source."""
    file = tmp_path / "it's a.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute(script)
    return Source(Settings(source_url=f"duckdb:///{file}", scratch=tmp_path / "scratch"))


def test_types_and_rows_arrive_as_declared(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        """
        CREATE TABLE "order" (
            id INTEGER, line SMALLINT, price DECIMAL(10, 2) NOT NULL, day DATE, moment TIMESTAMP,
            "a ""b" VARCHAR, image BLOB, seen BOOLEAN, big UBIGINT, PRIMARY KEY (line, id)
        );
        INSERT INTO "order" VALUES
            (1, 2, 0.05, '2025-01-02', '2025-01-02 03:04:05.000006', 'é😀',
             '\\x00\\xFF', true, 18446744073709551615),
            (2, 2, 1, NULL, NULL, NULL, NULL, NULL, NULL);
        """,
    )
    table = source.declared(["order"])["order"]
    assert table.key == ("line", "id")
    assert [column.nullable for column in table.columns][:4] == [False, False, False, True]
    with source.snapshot() as snapshot:
        assert snapshot.count(table) == 2
        rows = snapshot.read(table).read_all()
    assert rows.schema.field("price") == pa.field("price", pa.decimal128(10, 2), nullable=False)
    assert rows.schema.field("line").type == pa.int16()
    assert list(rows.to_pylist()[0].values()) == [
        1,
        2,
        Decimal("0.05"),
        date(2025, 1, 2),
        datetime.fromisoformat("2025-01-02 03:04:05.000006"),
        "é😀",
        b"\x00\xff",
        True,
        Decimal(2**64 - 1),
    ]
    assert set(list(rows.to_pylist()[1].values())[3:]) == {None}


def test_the_same_figures_are_answered_as_by_a_server(tmp_path: Path) -> None:
    source = source_of(tmp_path, "CREATE TABLE t AS SELECT 0.1::DECIMAL(10,2) AS a FROM range(3)")
    with source.snapshot() as snapshot:
        assert snapshot.figures("select count(*), cast(sum(a) as char) from t") == [(3, "0.30")]


def test_a_column_of_a_type_that_cannot_be_held_is_left_out_and_has_an_example(
    tmp_path: Path,
) -> None:
    source = source_of(tmp_path, "CREATE TABLE t AS SELECT [1, 2] AS many")
    table = source.declared(["t"])["t"]
    assert table.left_out == (LeftOut("many", "INTEGER[]", "Athena has no type for INTEGER[]"),)
    assert source.example(table, table.left_out[0]) == "[1, 2]"


def test_a_missing_file_or_table_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TableMissing, match=r"Available tables: t$"):
        source_of(tmp_path, "CREATE TABLE t (a INTEGER)").declared(["orders"])
    gone = Source(Settings(source_url=f"duckdb:///{tmp_path}/gone.duckdb", scratch=tmp_path))
    with pytest.raises(SourceError, match=r"no file .*gone\.duckdb. Correct the path, or"):
        gone.declared(["orders"])
    with (
        pytest.raises(SourceError, match=r"no file .*gone\.duckdb. Correct the path, or"),
        gone.snapshot(),
    ):
        pass


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "text.duckdb"
    file.write_text("no database" * 1000)
    source = Source(Settings(source_url=f"duckdb:///{file}", scratch=tmp_path))
    with pytest.raises(SourceError, match=r"text\.duckdb"):
        source.declared(["orders"])
