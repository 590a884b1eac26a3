"""Measures refreshes on consecutive days, between which rows change at the source."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.process import Cost, run
from benchmarks.rounds import settings_in, workshop
from benchmarks.source import Source
from starschema_assets.settings import CHECKOUT

SCRIPT = Path(__file__).parent / "scripts" / "refresh_on_day.py"
HISTORY = "dim_customers_history"
SHARE = 100
"""One of this number of customers changes between two days."""
CHANGE = f"""
    update customers set creditLimit = coalesce(creditLimit, 0) + 1
    where customerNumber % {SHARE} = {{day}} % {SHARE};
    select count(*) from customers where customerNumber % {SHARE} = {{day}} % {SHARE};
"""
"""Runs before each day except the first. The changes stay in the benchmark's database."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Day:
    """The refresh of one day."""

    day: int
    cost: Cost
    changed: int
    """Number of customers changed before the refresh."""
    versions: int
    """Rows of the history after the refresh."""
    history_bytes: int
    """Size of the history's file."""


def play_days(source: Source, days: int, timeout: float) -> Iterator[Day]:
    """Refresh one lake on `days` days. Raises RuntimeError if a history is wrong."""
    with workshop() as folder:
        settings = settings_in(folder, source.url) | {"PYTHONPATH": str(CHECKOUT)}
        file = folder / "lake" / "star" / HISTORY / f"{HISTORY}.parquet"
        ((customers,),) = source.ask("select count(*) from customers")
        expected = int(customers)
        for day in range(days):
            changed = int(source.ask(CHANGE.format(day=day))[0][0]) if day else 0
            expected += changed
            cost = run([sys.executable, SCRIPT, str(day)], settings, folder, timeout)
            if cost.error:
                raise RuntimeError(f"day {day} failed: {cost.error}")
            versions = pq.read_metadata(file).num_rows
            if versions != expected:
                raise RuntimeError(f"day {day}: {HISTORY} has {versions} rows, not {expected}")
            done = Day(day + 1, cost, changed, versions, file.stat().st_size)
            log.info("day %s  %.2f s  %.0f MB", day + 1, cost.seconds, cost.peak_bytes / 1e6)
            yield done
