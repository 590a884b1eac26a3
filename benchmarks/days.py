"""Days: refreshes one after the other, each a day later, of a source in which rows changed."""

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
"""One of so many customers has changed since the day before."""
CHANGE = f"""
    update customers set creditLimit = coalesce(creditLimit, 0) + 1
    where customerNumber % {SHARE} = {{day}} % {SHARE};
    select count(*) from customers where customerNumber % {SHARE} = {{day}} % {SHARE};
"""
"""What happens before each day but the first; a day's changes stay in the benchmark's database."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Day:
    """One refresh."""

    day: int
    cost: Cost
    changed: int
    """Customers who changed before it."""
    versions: int
    """Rows of the history after it."""
    history_bytes: int
    """Of the history's file."""


def play_days(source: Source, days: int, timeout: float) -> Iterator[Day]:
    """Refresh on so many days, into one lake. Raises RuntimeError at the first wrong history."""
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
