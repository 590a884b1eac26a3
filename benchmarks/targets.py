"""The targets that the project set itself, each a figure of one run and its limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.days import Day
from benchmarks.layouts import Scan
from benchmarks.small import EMPTY, MAKE_RUN
from benchmarks.summary import MEGABYTE, Summary

AT_LINES = 10_000_000
"""The order lines for which the targets hold, to the nearest million."""
PEERS = ("dlt", "pandas", "spark")


@dataclass(frozen=True)
class Target:
    """A figure, and what it must be."""

    name: str
    figure: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps to the limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def of_contenders(found: Mapping[str, Summary], lines: int) -> Iterator[Target]:
    """Those that one run of all contenders can tell."""
    if round(lines, -6) != AT_LINES:
        return
    times = {name: s.seconds for name, s in found.items() if s.seconds}
    server = {name: s.server_cpu_seconds for name, s in found.items() if s.server_cpu_seconds}
    best = min((times[peer] for peer in PEERS if peer in times), default=None)
    if "refresh" not in times:
        return
    refresh = times["refresh"]
    if "floor" in times:
        yield Target("refresh, of the floor", refresh / times["floor"], 2.0, "×")
    if best:
        yield Target("refresh, of the fastest peer", refresh / best, 1.0, "×")
    if best and "engine" in times:
        yield Target(
            "fastest peer, of the engine alone", best / times["engine"], 1.5, "×", at_least=True
        )
    if "pandas" in times:
        yield Target("pandas, of the refresh", times["pandas"] / refresh, 8.0, "×", at_least=True)
    if "refresh-s3" in times:
        yield Target("refresh to S3, of the refresh", times["refresh-s3"] / refresh, 1.3, "×")
    if "floor" in server and "refresh" in server:
        ratio = server["refresh"] / server["floor"]
        yield Target("server CPU of the refresh, of the floor's", ratio, 1.0, "×")
    yield of_memory("peak memory of the refresh", found["refresh"])


def of_memory(name: str, summary: Summary) -> Target:
    """That memory is bounded."""
    return Target(name, (summary.peak_bytes or 0) / MEGABYTE, 512, "MB")


def of_days(days: Sequence[Day]) -> Iterator[Target]:
    """That a history may grow: memory is bounded, and the last days take what the first did."""
    peak = max(day.cost.peak_bytes for day in days)
    yield Target("highest peak memory of a day", peak / MEGABYTE, 512, "MB")
    later = [day.cost.seconds for day in days[1:]]  # the first day has no history to go on from
    few = len(later) // 3
    if few:
        ratio = sum(later[-few:]) / sum(later[:few])
        yield Target(f"the last {few} days, of the first {few} with a history", ratio, 1.1, "×")


def of_growth(by_lines: Mapping[int, Mapping[str, Summary]]) -> Iterator[Target]:
    """That the refresh takes no more memory for more lines; two equal runs differ by 5 %."""
    peaks = [
        found["refresh"].peak_bytes or 0
        for lines, found in sorted(by_lines.items())
        if "refresh" in found and round(lines, -6) >= AT_LINES
    ]
    if len(peaks) > 1 and all(peaks):
        *_, before, most = peaks
        yield Target("peak memory at the most lines, of that before", most / before, 1.05, "×")


def of_small(found: Mapping[str, Summary]) -> Iterator[Target]:
    """That a run on the default data costs little more than Dagster itself."""
    empty, whole = found[EMPTY].seconds, found[MAKE_RUN].seconds
    if empty and whole:
        yield Target("make run, above thirteen empty assets", whole - empty, 2.0, "s")


def of_scans(scans: Sequence[Scan]) -> Iterator[Target]:
    """That the project's questions need few bytes."""
    asked = [scan for scan in scans if scan.is_question]
    ratio = sum(scan.ours for scan in asked) / sum(scan.usual for scan in asked)
    yield Target("bytes of all questions, of the usual layout's", ratio, 0.5, "×")
