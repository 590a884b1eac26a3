"""Summarizes the rounds of each contender, and compares contenders."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.rounds import Run

MEGABYTE = 1e6
CORRECT = "correct"


@dataclass(frozen=True)
class Summary:
    """Summary of one contender's rounds. All figures are None if no round succeeded."""

    contender: str
    rounds: int
    fastest: float | None
    """Shortest wall time in seconds."""
    seconds: float | None
    """Median wall time in seconds; the following figures are medians, except `peak_bytes`."""
    peak_bytes: int | None
    """Largest peak of all rounds."""
    cpu_seconds: float | None
    server_cpu_seconds: float | None
    written_bytes: float | None
    kept_bytes: float | None
    verdict: str


def summarised(runs: Iterable[Run]) -> dict[str, Summary]:
    """Return one summary per contender, in the order of their first run."""
    of: dict[str, list[Run]] = {}
    for run in runs:
        of.setdefault(run.contender, []).append(run)
    return {contender: _summary(contender, rounds) for contender, rounds in of.items()}


def _summary(contender: str, rounds: list[Run]) -> Summary:
    good = [run for run in rounds if not run.cost.error]
    verdict = _verdict(rounds)
    if not good:
        return Summary(contender, len(rounds), None, None, None, None, None, None, None, verdict)
    return Summary(
        contender,
        len(rounds),
        min(run.cost.seconds for run in good),
        median(run.cost.seconds for run in good),
        max(run.cost.peak_bytes for run in good),
        median(run.cost.cpu_seconds for run in good),
        median(run.server_cpu_seconds for run in good),
        median(run.cost.written_bytes for run in good),
        median(run.kept_bytes for run in good),
        verdict,
    )


def _verdict(rounds: list[Run]) -> str:
    failed = [run.cost.error for run in rounds if run.cost.error]
    faults = list(dict.fromkeys(fault for run in rounds for fault in run.faults))
    said = []
    if failed:
        said.append(f"**failed** in {len(failed)} of {len(rounds)} rounds: {failed[-1]}")
    if faults:
        said.append(f"**wrong**: {'; '.join(faults)}")
    return "; ".join(said) or CORRECT


def advantages(of: Summary, over: Summary) -> list[str]:
    """Return the figures in which the first contender beats the second, with both values."""
    figures = {
        "seconds": (of.seconds, over.seconds),
        "MB of peak memory": (_megabytes(of.peak_bytes), _megabytes(over.peak_bytes)),
        "s of CPU": (of.cpu_seconds, over.cpu_seconds),
        "s of the server's CPU": (of.server_cpu_seconds, over.server_cpu_seconds),
        "MB written": (_megabytes(of.written_bytes), _megabytes(over.written_bytes)),
    }
    return [
        f"{name}: {ours:.1f} instead of {theirs:.1f}"
        for name, (ours, theirs) in figures.items()
        if ours is not None and theirs is not None and ours < theirs
    ]


def _megabytes(size: float | None) -> float | None:
    return None if size is None else size / MEGABYTE
