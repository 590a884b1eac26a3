"""Runs refreshes in separate processes that stop or are killed at a named point."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from dagster import DagsterInstance

from starschema_assets.lake import s3_lease
from starschema_assets.settings import Settings
from starschema_assets_tests.clock import set_clock
from starschema_assets_tests.faults.points import POINTS, Point
from starschema_assets_tests.pipeline import Pipeline

PATIENCE = 180
"""Seconds to wait for a process before a test fails."""

# Each process is forked from a server that has imported the project, because imports are slow.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Work:
    """Input of a process, which shares nothing else with the test."""

    settings: Settings
    home: str
    environment: dict[str, str]
    folder: Path
    """Folder for its log and its marker files."""
    point: Point | None
    signal: int
    """Signal that it sends to itself at the point; 0 to wait there for `go_on`."""
    lease_seconds: int
    moment: datetime | None
    """Time of the snapshot; None for the current time."""

    @property
    def log(self) -> Path:
        """File with its output."""
        return self.folder / "log"

    @property
    def reached(self) -> Path:
        """Marker file that it creates at the point."""
        return self.folder / "reached"

    @property
    def may_go_on(self) -> Path:
        """Marker file for which it waits at the point."""
        return self.folder / "go"


@dataclass(frozen=True)
class Refreshing:
    """A refresh of all tables in a separate process."""

    process: BaseProcess
    work: Work

    def log(self) -> str:
        """Return its output so far."""
        return self.work.log.read_text() if self.work.log.exists() else ""

    def await_that(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition is true. Fail if the process ends before."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.exitcode is None, self.log()[-3000:]
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.02)

    def await_point(self) -> None:
        """Wait until it has reached its point."""
        self.await_that(self.work.reached.exists)

    def go_on(self) -> None:
        """Let it continue from its point."""
        self.work.may_go_on.touch()

    def end(self) -> int:
        """Wait for its end. Return its exit code: 0, 1 if the run failed, or -9 if killed."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, self.log()[-3000:]
        return self.process.exitcode


@contextmanager
def refreshing(
    deployment: Pipeline,
    folder: Path,
    point: Point | None = None,
    signal_: int = 0,
    *,
    moment: datetime | None = None,
    **settings: Any,
) -> Iterator[Refreshing]:
    """Start a refresh that sends itself `signal_` at the point, or else waits there."""
    folder.mkdir()
    work = Work(
        deployment.settings.model_copy(update=settings),
        deployment.instance.root_directory,
        {name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        folder,
        point,
        signal_,
        s3_lease.TTL,
        moment,
    )
    process = CONTEXT.Process(target=_refresh, args=(work,))
    process.start()
    try:
        yield Refreshing(process, work)
    finally:
        process.kill()
        process.join()


def _refresh(work: Work) -> None:
    with work.log.open("a") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    os.environ.update(work.environment)
    s3_lease.TTL = work.lease_seconds
    if work.moment:
        set_clock(work.moment)
    if work.point:
        name, table = work.point
        POINTS[name](table, lambda: _stop(work))
    with DagsterInstance.from_config(str(work.home)) as instance:
        result = Pipeline(work.settings, instance).refresh()
    sys.exit(not result.success)


def _stop(work: Work) -> None:
    work.reached.touch()
    if work.signal:
        os.kill(os.getpid(), work.signal)
    while not work.signal and not work.may_go_on.exists():
        time.sleep(0.02)
