"""The project's targets: each compares a measured figure with a limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.days import Day
from benchmarks.layouts import Scan
from benchmarks.small import EMPTY, MAKE_RUN
from benchmarks.summary import MEGABYTE, Summary

AT_LINES = 10_000_000
"""The number of order lines, to the nearest million, at which the targets are checked."""
PEERS = ("dlt", "pandas", "spark")


@dataclass(frozen=True)
class Target:
    """A measured figure and its limit."""

    name: str
    figure: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """True if the figure is within the limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def of_contenders(found: Mapping[str, Summary], lines: int) -> Iterator[Target]:
    """Yield the targets for a run of all contenders."""
    if round(lines, -6) != AT_LINES:
        return
    times = {name: s.seconds for name, s in found.items() if s.seconds}
    server = {name: s.server_cpu_seconds for name, s in found.items() if s.server_cpu_seconds}
    best = min((times[peer] for peer in PEERS if peer in times), default=None)
    if "refresh" not in times:
        return
    refresh = times["refresh"]
    if "floor" in times:
        yield Target("refresh ÷ floor", refresh / times["floor"], 2.0, "×")
    if best:
        yield Target("refresh ÷ fastest peer", refresh / best, 1.0, "×")
    if best and "engine" in times:
        yield Target("fastest peer ÷ engine alone", best / times["engine"], 1.5, "×", at_least=True)
    if "pandas" in times:
        yield Target("pandas ÷ refresh", times["pandas"] / refresh, 8.0, "×", at_least=True)
    if "refresh-s3" in times:
        yield Target("refresh to S3 ÷ refresh", times["refresh-s3"] / refresh, 1.3, "×")
    if "floor" in server and "refresh" in server:
        ratio = server["refresh"] / server["floor"]
        yield Target("server CPU of the refresh ÷ server CPU of the floor", ratio, 1.0, "×")
    yield of_memory("peak memory of the refresh", found["refresh"])


def of_memory(name: str, summary: Summary) -> Target:
    """Return the target that memory is bounded."""
    return Target(name, (summary.peak_bytes or 0) / MEGABYTE, 512, "MB")


def of_days(days: Sequence[Day]) -> Iterator[Target]:
    """Yield the targets for growing histories: bounded memory, and no increase of time."""
    peak = max(day.cost.peak_bytes for day in days)
    yield Target("highest peak memory of a day", peak / MEGABYTE, 512, "MB")
    later = [day.cost.seconds for day in days[1:]]  # the first day has no previous history
    few = len(later) // 3
    if few:
        ratio = sum(later[-few:]) / sum(later[:few])
        yield Target(f"last {few} days ÷ first {few} days with a history", ratio, 1.1, "×")


def of_growth(by_lines: Mapping[int, Mapping[str, Summary]]) -> Iterator[Target]:
    """Yield the target that memory doesn't grow with the lines. Two equal runs differ by 5 %."""
    peaks = [
        found["refresh"].peak_bytes or 0
        for lines, found in sorted(by_lines.items())
        if "refresh" in found and round(lines, -6) >= AT_LINES
    ]
    if len(peaks) > 1 and all(peaks):
        *_, before, most = peaks
        yield Target(
            "peak memory at the most lines ÷ at the next smaller number", most / before, 1.05, "×"
        )


def of_small(found: Mapping[str, Summary]) -> Iterator[Target]:
    """Yield the target that a run on the default data takes little longer than Dagster alone."""
    empty, whole = found[EMPTY].seconds, found[MAKE_RUN].seconds
    if empty and whole:
        yield Target("make run minus thirteen empty assets", whole - empty, 2.0, "s")


def of_scans(scans: Sequence[Scan]) -> Iterator[Target]:
    """Yield the target for the bytes that the project's queries read."""
    asked = [scan for scan in scans if scan.is_question]
    ratio = sum(scan.ours for scan in asked) / sum(scan.usual for scan in asked)
    yield Target("bytes of all queries ÷ bytes in the usual layout", ratio, 0.5, "×")
