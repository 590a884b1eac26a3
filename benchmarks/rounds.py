"""Runs all contenders in rounds on the same data (A B C, A B C, …)."""

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.answers import Truth, faults
from benchmarks.bucket import Bucket
from benchmarks.contenders import FLOOR, Contender
from benchmarks.process import Cost, cpu_seconds, run
from benchmarks.source import Source, new_folder
from starschema_assets.settings import CHECKOUT

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One run of a contender."""

    contender: str
    cost: Cost
    server_cpu_seconds: float
    """CPU time of the database server during the run."""
    kept_bytes: int
    """Size of the contender's tables."""
    faults: tuple[str, ...]
    """Errors in these tables."""


def play(
    contenders: Sequence[Contender], source: Source, truth: Truth, rounds: int, timeout: float
) -> Iterator[Run]:
    """Run the rounds. First run the floor once unmeasured, so that the server caches the data."""
    with _bucket(contenders) as bucket:
        _run(FLOOR, source, truth, timeout, bucket)
        for number in range(1, rounds + 1):
            for contender in contenders:
                done = _run(contender, source, truth, timeout, bucket)
                log.info("round %s  %s", number, log_line(done))
                yield done


def log_line(done: Run) -> str:
    """Return a line about one run."""
    cost = done.cost
    verdict = cost.error or "; ".join(done.faults) or "correct"
    return (
        f"{done.contender:<10} {cost.seconds:7.2f} s wall {cost.cpu_seconds:7.2f} s CPU "
        f"{done.server_cpu_seconds:7.2f} s server {cost.peak_bytes / 2**20:6.0f} MiB  {verdict}"
    )


def _run(
    contender: Contender, source: Source, truth: Truth, timeout: float, bucket: Bucket | None
) -> Run:
    """Run a contender once, in a temporary folder."""
    with workshop() as folder:
        lake = folder / "lake"
        settings = settings_in(folder, source.url)
        if contender.on_s3 and bucket:
            settings |= bucket.settings()
        try:
            command = contender.command(source, lake)
        except (OSError, subprocess.CalledProcessError) as error:
            return Run(contender.name, Cost(0, 0, 0, 0, f"not installed: {error}"), 0, 0, ())
        before = cpu_seconds(source.server.pid)
        cost = run(command, settings, folder, timeout)
        server = cpu_seconds(source.server.pid) - before
        if contender.on_s3 and bucket:
            bucket.take(lake)
        found = [] if cost.error else faults(contender.tables, lake, truth)
        kept = sum(size(lake / table) for table in contender.tables)
    return Run(contender.name, cost, server, kept, tuple(found))


@contextmanager
def workshop() -> Iterator[Path]:
    """Yield a temporary folder on the same disk as the default lake."""
    folder = new_folder()
    try:
        yield folder.path
    finally:
        folder.close()


def settings_in(folder: Path, url: str = "") -> dict[str, str]:
    """Return environment variables with a new lake and a new Dagster instance in the folder."""
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", home)
    others = {k: v for k, v in os.environ.items() if not k.startswith(("STARSCHEMA_", "AWS_"))}
    own = {
        "DAGSTER_HOME": str(home),
        "STARSCHEMA_LAKE_URI": str(folder / "lake"),
        "STARSCHEMA_SCRATCH": str(folder / "scratch"),
        "STARSCHEMA_CATALOG": str(folder / "catalog.duckdb"),
        "TMPDIR": str(folder),
    }
    return others | own | ({"STARSCHEMA_SOURCE_URL": url} if url else {})


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _bucket(contenders: Sequence[Contender]) -> AbstractContextManager[Bucket | None]:
    if any(contender.on_s3 for contender in contenders):
        return Bucket.started()
    return nullcontext()
