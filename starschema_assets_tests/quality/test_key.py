"""Duplicate keys are found anywhere in a file, and a sorted file needs few comparisons."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from starschema_assets.contract import Column, Contract
from starschema_assets.engine import DuckDBTables, add_view
from starschema_assets.quality.audit import RowAudit

CONTRACT = Contract(
    stage="raw",
    table="lines",
    grain="one row per line",
    description="",
    key=("order", "line"),
    columns=(
        Column("order", "int", "", nullable=True),
        Column("line", "string", "", nullable=True),
    ),
)

IN_ORDER = [(order, line) for order in range(1, 6) for line in "abc"]


def audited(folder: Path, rows: Sequence[tuple[int | None, str | None]]) -> tuple[str, int | None]:
    """Return how many rows may have duplicate keys, e.g. `2 of 15`, and how many have."""
    orders, lines = zip(*rows, strict=True) if rows else ((), ())
    table = pa.table({"order": pa.array(orders, pa.int32()), "line": pa.array(lines, pa.string())})
    pq.write_table(table, folder / "lines.parquet", row_group_size=2)
    with duckdb.connect() as connection:
        add_view(connection, CONTRACT.path, folder / "lines.parquet")
        tables = DuckDBTables(connection)
        condition = tables.suspects('"raw"."lines"', CONTRACT.key)
        _, ((suspects,),) = tables.fetch(f"select count(*) from raw.lines where {condition}")
        found = RowAudit(tables).key(CONTRACT)
    assert found.passed == (not found.offending_rows)
    return f"{suspects} of {len(rows)}", found.offending_rows


@pytest.mark.parametrize("at", range(len(IN_ORDER)))
def test_a_key_that_stands_twice_side_by_side(tmp_path: Path, at: int) -> None:
    rows = [*IN_ORDER[: at + 1], *IN_ORDER[at:]]
    assert audited(tmp_path, rows)[1] == 2


def test_no_more_than_the_first_order_is_suspected_where_all_ascend(tmp_path: Path) -> None:
    assert audited(tmp_path, IN_ORDER) == ("3 of 15", 0)
    assert audited(tmp_path, []) == ("0 of 0", 0)


def test_lines_in_another_order_than_that_of_bytes_make_their_order_suspect(tmp_path: Path) -> None:
    rows = [*IN_ORDER[:6], (3, "a"), (3, "B"), (3, "a"), *IN_ORDER[9:]]
    assert audited(tmp_path, rows) == ("6 of 15", 2)


def test_equal_keys_far_apart_are_found_where_nothing_is_in_order(tmp_path: Path) -> None:
    assert audited(tmp_path, [*IN_ORDER, IN_ORDER[0]]) == ("16 of 16", 2)


def test_a_key_of_nulls_is_one_key(tmp_path: Path) -> None:
    assert audited(tmp_path, [(1, "a"), (2, None), (2, "b"), (2, None), (3, "a")])[1] == 2
    assert audited(tmp_path, [(None, "a"), (1, "a"), (None, "a")]) == ("3 of 3", 2)
