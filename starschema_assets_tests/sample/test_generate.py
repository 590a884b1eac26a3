"""Tests for the generator: equal seeds give equal rows, and a file is complete or missing."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from starschema_assets.sample.generate import days_ahead, ensure_sample, generate, next_day
from starschema_assets.settings import Settings
from starschema_assets.source.source import Source
from starschema_assets_tests.sample import contents
from starschema_assets_tests.sample.contents import TABLES, digests


def _digests_of_a_process(file: Path, scale: int, seed: int, threads: int) -> dict[str, str]:
    arguments = [str(file), str(scale), str(seed), str(threads)]
    command = [sys.executable, "-m", contents.__name__, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    printed: dict[str, str] = json.loads(done.stdout)
    return printed


def test_processes_with_other_numbers_of_threads_make_equal_rows(tmp_path: Path) -> None:
    """The scale has several row groups, which DuckDB distributes to threads."""
    alone = _digests_of_a_process(tmp_path / "alone.duckdb", 100, 7, 1)
    together = _digests_of_a_process(tmp_path / "together.duckdb", 100, 7, 4)
    assert alone == together


def test_another_seed_makes_other_rows(default: Path, tmp_path: Path) -> None:
    """Offices and employees are constant, the same for all seeds."""
    generate(tmp_path / "other.duckdb", seed=2)
    one, other = digests(default), digests(tmp_path / "other.duckdb")
    changed = {table for table in TABLES if one[table] != other[table]}
    assert changed == {"customers", "orders", "orderdetails", "payments", "products"}


def test_scale_multiplies_customers_orders_lines_and_payments(tmp_path: Path) -> None:
    generate(tmp_path / "ten.duckdb", scale=10)
    with duckdb.connect(tmp_path / "ten.duckdb", read_only=True) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in TABLES
        }
    assert counts["customers"] == 1_220
    assert counts["orders"] == 3_260
    assert 29_000 < counts["orderdetails"] < 31_500
    assert 2_500 < counts["payments"] < 3_000
    assert (counts["employees"], counts["offices"]) == (23, 7)
    assert (counts["productlines"], counts["products"]) == (7, 110)


def test_declares_types_keys_and_nullability(default: Path) -> None:
    with duckdb.connect(default, read_only=True) as connection:
        columns = {
            (table, column): (kind, nullable)
            for table, column, kind, nullable in connection.execute(
                "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns()"
            ).fetchall()
        }
        keys = dict(
            connection.execute(
                "SELECT table_name, constraint_column_names FROM duckdb_constraints() "
                "WHERE constraint_type = 'PRIMARY KEY'"
            ).fetchall()
        )
    assert columns["orderdetails", "priceEach"] == ("DECIMAL(10,2)", False)
    assert columns["orderdetails", "orderLineNumber"] == ("SMALLINT", False)
    assert columns["orders", "shippedDate"] == ("DATE", True)
    assert columns["customers", "customerNumber"] == ("INTEGER", False)
    assert columns["productlines", "image"] == ("BLOB", True)
    assert set(keys) == set(TABLES)
    assert keys["orderdetails"] == ["orderNumber", "productCode"]


def test_a_file_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "sample.duckdb"
    assert ensure_sample(path)
    made = path.stat()
    assert not ensure_sample(path)
    assert not ensure_sample(path, scale=1, seed=1)
    left = path.stat()
    assert (left.st_ino, left.st_mtime_ns) == (made.st_ino, made.st_mtime_ns)


def test_a_file_of_another_scale_is_kept_unless_a_scale_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "sample.duckdb"
    generate(path, scale=2, seed=3)
    assert not ensure_sample(path)
    assert ensure_sample(path, scale=1)
    assert not ensure_sample(path, scale=1, seed=3)


@pytest.mark.parametrize("content", [b"", b"not a database"])
def test_a_file_that_is_no_sample_database_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sample.duckdb"
    path.write_bytes(content)
    assert ensure_sample(path)
    assert not ensure_sample(path)


def test_a_killed_run_leaves_the_file_that_was_there_and_the_next_one_cleans_up(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sample.duckdb"
    generate(path, seed=5)
    before = path.read_bytes()
    command = [sys.executable, "-m", contents.__name__, str(path), "1000", "6", "1"]
    process = subprocess.Popen(command)
    workshop = tmp_path / ".sample.duckdb.unfinished"
    while not (workshop / "sample.duckdb").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert workshop.exists()
    assert path.read_bytes() == before
    assert ensure_sample(path, seed=6)
    assert not workshop.exists()


def test_a_day_later_some_customers_moved_and_some_prices_changed(tmp_path: Path) -> None:
    path = tmp_path / "sample.duckdb"
    generate(path)
    where = "SELECT customerNumber, city, country FROM customers"
    prices = "SELECT productCode, buyPrice, MSRP FROM products"
    with duckdb.connect(path, read_only=True) as connection:
        before = [set(connection.execute(sql).fetchall()) for sql in (where, prices)]
    changes = [next_day(path), next_day(path)]
    assert [day for day, *_ in changes] == [1, 2]
    with duckdb.connect(path, read_only=True) as connection:
        after = [set(connection.execute(sql).fetchall()) for sql in (where, prices)]
    assert [len(now - then) for now, then in zip(after, before, strict=True)] == [
        sum(moves for _, moves, _ in changes),
        sum(raises for *_, raises in changes),
    ]


def test_a_file_that_is_made_anew_keeps_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "sample.duckdb"
    ensure_sample(path)
    next_day(path)
    next_day(path)
    assert ensure_sample(path, seed=2)
    assert days_ahead(path) == 2
    url = SecretStr(f"duckdb:///{path}")
    with Source(Settings(source_url=url)).snapshot() as snapshot:
        ahead = snapshot.taken_at - datetime.now(UTC)
    assert timedelta(days=1, hours=23) < ahead < timedelta(days=2, hours=1)
