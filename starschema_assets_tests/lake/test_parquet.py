"""The writer of Parquet files and the reader of their footers."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from starschema_assets.lake import parquet
from starschema_assets.lake.errors import SourceInterrupted
from starschema_assets.lake.parquet import ROW_GROUP_ROWS, digest_of, read_footer, write_table
from starschema_assets.types import ColumnRefused


def row_groups(path: Path) -> list[int]:
    footer = pq.read_metadata(path)
    return [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]


def numbers(*batches: int) -> pa.RecordBatchReader:
    """Return batches of the given sizes, numbered consecutively across batches."""
    schema = pa.schema({"n": pa.int64()})
    starts = [sum(batches[:each]) for each in range(len(batches))]
    return pa.RecordBatchReader.from_batches(
        schema,
        (
            pa.record_batch([pa.array(range(start, start + size))], schema=schema)
            for start, size in zip(starts, batches, strict=True)
        ),
    )


def test_row_groups_have_the_chosen_rows_whatever_the_batches(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    batches = [1, 600_000, 0, 7, 10_000]
    assert write_table(path, numbers(*batches), metadata={}) == sum(batches)
    assert row_groups(path) == [*[ROW_GROUP_ROWS] * 9, 610_008 - 9 * ROW_GROUP_ROWS]
    assert pq.read_table(path)["n"].to_pylist() == list(range(sum(batches)))


def test_row_groups_of_wide_rows_end_at_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 1_000_000)
    path = tmp_path / "wide.parquet"
    wide = pa.table({"image": [bytes([n]) * 10_000 for n in range(250)]})
    write_table(path, wide.to_reader(), metadata={})
    assert max(row_groups(path)) <= 125
    assert pq.read_table(path).equals(wide)


def test_metadata_and_row_count_are_read_by_a_tool_that_did_not_write_them(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    write_table(path, numbers(5), metadata={"run_id": "r1", "snapshot": "é"})
    entries = duckdb.execute(
        "select decode(key), decode(value) from parquet_kv_metadata(?)", [str(path)]
    ).fetchall()
    assert sorted(entries) == [("starschema.run_id", "r1"), ("starschema.snapshot", "é")]


def test_a_footer_tells_rows_schema_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    write_table(path, numbers(5), metadata={"run_id": "r1"})
    footer = read_footer(path)
    assert footer.rows == 5
    assert footer.schema == pa.schema({"n": pa.int64()})
    assert footer.metadata == {"run_id": "r1"}


def test_the_footer_says_how_rows_are_sorted_and_pages_are_indexed(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    write_table(path, numbers(5), metadata={}, sorted_by=["n"])
    group = pq.read_metadata(path).row_group(0)
    assert list(group.sorting_columns) == [pq.SortingColumn(0, descending=False, nulls_first=False)]
    assert group.column(0).has_column_index
    assert group.column(0).compression == "ZSTD"
    statistics = group.column(0).statistics
    assert statistics
    assert (statistics.min, statistics.max) == (0, 4)


def test_only_columns_whose_values_repeat_get_a_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = pa.table({"id": list(range(1000)), "status": ["Shipped", "On Hold"] * 500})
    write_table(path, rows.to_reader(), metadata={})
    group = pq.read_metadata(path).row_group(0)
    assert "RLE_DICTIONARY" not in group.column(0).encodings
    assert "RLE_DICTIONARY" in group.column(1).encodings
    assert pq.read_table(path).equals(rows)


def test_a_table_without_rows_keeps_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    assert write_table(path, numbers(), metadata={}) == 0
    assert duckdb.sql(f"select n from read_parquet('{path}')").fetchall() == []


def test_a_refused_column_is_named_before_a_row_is_read(tmp_path: Path) -> None:
    def read() -> Iterator[pa.RecordBatch]:
        pytest.fail("a row was read")
        yield

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.time64("us")}), read())
    with pytest.raises(ColumnRefused, match="'n' is time64"):
        write_table(tmp_path / "n.parquet", reader, metadata={})


def test_no_row_is_read_any_more_when_a_write_has_failed(tmp_path: Path) -> None:
    read = []

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, 10_000_000, ROW_GROUP_ROWS):
            read.append(start)
            yield pa.record_batch({"n": pa.array(range(start, start + ROW_GROUP_ROWS))})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches())
    with pytest.raises(FileNotFoundError):
        write_table(tmp_path / "no folder" / "n.parquet", reader, metadata={})
    so_far = list(read)
    assert read == so_far == [0, ROW_GROUP_ROWS]


def test_a_source_that_breaks_off_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    def read() -> Iterator[pa.RecordBatch]:
        raise OSError("Lost connection to MySQL server")
        yield

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.string()}), read())
    with pytest.raises(SourceInterrupted, match="Lost connection"):
        write_table(tmp_path / "n.parquet", reader, metadata={})


NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def every_type(**other: list[object]) -> pa.Table:
    """Return three rows with all types and NULLs. `other` replaces the values of columns."""
    columns: dict[str, tuple[list[object], pa.DataType]] = {
        "whole": ([1, None, 3], pa.int32()),
        "amount": ([Decimal("1.10"), None, Decimal("3.30")], pa.decimal128(10, 2)),
        "day": ([date(2026, 1, 5), None, date(9999, 12, 31)], pa.date32()),
        "moment": ([NOON, None, None], pa.timestamp("us", "UTC")),
        "open": ([True, None, False], pa.bool_()),
        "text": (["ab", None, "c"], pa.string()),
        "bytes": ([b"\x00", None, b""], pa.binary()),
    }
    arrays: dict[str, Any] = {name: pa.array(*column) for name, column in columns.items()}
    for name, values in other.items():
        arrays[name] = pa.array(values, arrays[name].type)
    return pa.table(arrays)


def digest(path: Path, table: pa.Table, rows: int | None = None) -> str:
    """Write a table in batches of `rows` rows, verify the recorded digest, and return it."""
    write_table(path, table.to_reader(rows), metadata={}, digest=True)
    assert digest_of(path) == read_footer(path).metadata["digest"]
    return digest_of(path)


def test_the_same_rows_have_the_same_digest_however_they_come(tmp_path: Path) -> None:
    path, table = tmp_path / "t.parquet", every_type()
    encoded = table.set_column(5, "text", table["text"].dictionary_encode())
    digests = {digest(path, table), digest(path, table, 1), digest(path, encoded)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"whole": [1, 0, 3]},
        {"amount": [Decimal("1.10"), None, Decimal("3.31")]},
        {"day": [date(2026, 1, 5), date(1970, 1, 1), date(9999, 12, 31)]},
        {"moment": [NOON + timedelta(hours=1), None, None]},
        {"open": [True, False, False]},
        {"text": ["ab", "", "c"]},
        {"text": ["a", None, "bc"]},
        {"bytes": [b"", None, b"\x00"]},
        {"whole": [3, None, 1]},
    ],
)
def test_other_rows_have_another_digest(tmp_path: Path, other: dict[str, list[object]]) -> None:
    assert digest(tmp_path / "a.parquet", every_type()) != digest(
        tmp_path / "b.parquet", every_type(**other)
    )


def test_a_digest_is_computed_without_pandas(tmp_path: Path) -> None:
    digest(path := tmp_path / "t.parquet", every_type())
    code = (
        "import sys; from pathlib import Path; "
        "from starschema_assets.lake.parquet import digest_of; "
        "digest_of(Path(sys.argv[1])); sys.exit('pandas' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True)
