"""Tests for rounds of contenders on the sample: their costs, and the check of their tables."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.answers import STAR, Truth, truth
from benchmarks.contenders import ENGINE, FLOOR, REFRESH, Contender
from benchmarks.rounds import Run, play
from benchmarks.source import Source
from starschema_assets_tests.conftest import PASSWORD
from starschema_assets_tests.database_server import DatabaseServer

JOINED_BY_POSTAL_CODE = """
import sys, duckdb
from pathlib import Path
raw, folder = sys.argv[1:]
for table in ("orders", "orderdetails", "customers"):
    duckdb.sql(f"create view {table} as from '{raw}/{table}/{table}.parquet'")
fact = Path(folder, "star", "fact_orders")
fact.mkdir(parents=True)
duckdb.sql(f'''
    copy (
        select *, quantityOrdered * priceEach as orderAmount
        from orderdetails
        join orders using (orderNumber)
        join customers using (customerNumber)
        join (select distinct postalCode, city from customers) using (postalCode)
    ) to '{fact}/part.parquet'
''')
"""


@pytest.fixture
def sample(mariadb: DatabaseServer, tmp_path: Path) -> Source:
    return Source(mariadb, "sample", mariadb.url("reader", PASSWORD, "sample"), tmp_path)


@pytest.fixture
def expected(sample: Source) -> Truth:
    return truth(sample)


def contender(*command: str, tables: tuple[str, ...] = ()) -> Contender:
    return Contender("x", "x", lambda _source, folder: [*command, str(folder)], tables)


def only(contender: Contender, source: Source, expected: Truth, timeout: float = 60) -> Run:
    (run,) = play([contender], source, expected, 1, timeout)
    return run


def test_our_contenders_are_right_and_cost_something(sample: Source, expected: Truth) -> None:
    runs = list(play([FLOOR, REFRESH, ENGINE], sample, expected, 1, 120))
    assert [run.contender for run in runs] == ["floor", "refresh", "engine"]
    for run in runs:
        assert not run.cost.error
        assert not run.faults
        assert run.cost.cpu_seconds > 0
    for run in runs[1:]:
        assert run.cost.peak_bytes > 2**25
    assert runs[1].kept_bytes == pytest.approx(runs[2].kept_bytes, rel=0.2)


def test_a_fact_joined_by_postal_code_is_marked_wrong(
    sample: Source, expected: Truth, good_lake: Path
) -> None:
    command = [sys.executable, "-c", JOINED_BY_POSTAL_CODE, f"{good_lake}/raw"]
    run = only(contender(*command, tables=("star/fact_orders",)), sample, expected)
    assert not run.cost.error
    rows, sums = run.faults
    assert f"rows instead of {expected.lines:,}" in rows
    assert "USD off" in sums


def test_a_table_that_a_contender_did_not_write_is_marked_missing(
    sample: Source, expected: Truth
) -> None:
    run = only(contender("true", tables=STAR), sample, expected)
    assert run.faults == tuple(f"{table} is missing" for table in STAR)


def test_a_file_that_is_no_parquet_is_marked_unreadable(sample: Source, expected: Truth) -> None:
    script = 'mkdir -p "$0/star/fact_orders" && echo broken > "$0/star/fact_orders/x.parquet"'
    run = only(contender("sh", "-c", script, tables=("star/fact_orders",)), sample, expected)
    (fault,) = run.faults
    assert fault.startswith("star/fact_orders can't be read: ")


def test_a_contender_that_fails_is_reported_with_its_last_words(
    sample: Source, expected: Truth
) -> None:
    run = only(contender("cat", tables=STAR), sample, expected)
    assert "lake: No such file or directory" in run.cost.error
    assert not run.faults


def test_a_contender_that_takes_too_long_is_killed_with_its_children(
    sample: Source, expected: Truth, tmp_path: Path
) -> None:
    trail = tmp_path / "pids"
    script = f"setsid sleep 60 & echo $! > {trail}; sleep 60"
    run = only(contender("sh", "-c", script), sample, expected, timeout=1)
    assert run.cost.error == "killed after 1 s"
    assert not Path("/proc", trail.read_text().strip()).exists()


def test_an_interrupted_benchmark_leaves_no_process_behind(tmp_path: Path) -> None:
    trail = tmp_path / "pid"
    command = ["sh", "-c", f"echo $$ > {trail}; exec sleep 60"]
    script = (
        # Processes that a shell starts in the background ignore interrupts; this may be one of them
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"from benchmarks.process import run; run({command}, {{}}, Path({str(tmp_path)!r}), 60)"
    )
    harness = subprocess.Popen(
        [sys.executable, "-c", f"from pathlib import Path; {script}"], stderr=subprocess.DEVNULL
    )
    while not (trail.exists() and trail.read_text()):
        assert harness.poll() is None
        time.sleep(0.05)
    harness.send_signal(signal.SIGINT)
    harness.wait(30)
    assert not Path("/proc", trail.read_text().strip()).exists()
