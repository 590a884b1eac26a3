"""What the rounds come to: one summary a contender, and the figures to compare them by."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.rounds import Run

MEGABYTE = 1e6


@dataclass(frozen=True)
class Summary:
    """The rounds of one contender; without a run that succeeded all figures are None."""

    contender: str
    rounds: int
    fastest: float | None
    """Seconds of wall time, like `seconds`."""
    seconds: float | None
    """The median."""
    peak_bytes: int | None
    """The largest of any round."""
    cpu_seconds: float | None
    server_cpu_seconds: float | None
    written_bytes: float | None
    kept_bytes: float | None
    verdict: str


def summarised(runs: Iterable[Run]) -> dict[str, Summary]:
    """The contenders in the order in which they first ran."""
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
    return "; ".join(said) or "right"


def advantages(of: Summary, over: Summary) -> list[str]:
    """The figures in which one contender is better than another, with both."""
    figures = {
        "seconds": (of.seconds, over.seconds),
        "MB of peak memory": (_megabytes(of.peak_bytes), _megabytes(over.peak_bytes)),
        "s of CPU": (of.cpu_seconds, over.cpu_seconds),
        "s of the server's CPU": (of.server_cpu_seconds, over.server_cpu_seconds),
        "MB written": (_megabytes(of.written_bytes), _megabytes(over.written_bytes)),
    }
    return [
        f"{ours:.1f} {name} to {theirs:.1f}"
        for name, (ours, theirs) in figures.items()
        if ours is not None and theirs is not None and ours < theirs
    ]


def _megabytes(size: float | None) -> float | None:
    return None if size is None else size / MEGABYTE
