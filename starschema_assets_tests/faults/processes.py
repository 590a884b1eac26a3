"""Refreshes in processes of their own, which stop or die at a named point."""

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
"""Seconds after which a process that should have got somewhere is given up."""

# A server that has imported the project forks each of them: imports would take most of their time.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Work:
    """What a process is told: it shares nothing else with the test."""

    settings: Settings
    home: str
    environment: dict[str, str]
    folder: Path
    """Where it says how far it has come."""
    point: Point | None
    signal: int
    """What it does to itself at the point; 0 if it waits there until it may go on."""
    lease_seconds: int
    moment: datetime | None
    """When the snapshot is taken, if not now."""

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "log"

    @property
    def reached(self) -> Path:
        """Made once it is at the point."""
        return self.folder / "reached"

    @property
    def may_go_on(self) -> Path:
        """What it waits for there."""
        return self.folder / "go"


@dataclass(frozen=True)
class Refreshing:
    """A refresh of everything in a process of its own."""

    process: BaseProcess
    work: Work

    def log(self) -> str:
        """What it has printed so far."""
        return self.work.log.read_text() if self.work.log.exists() else ""

    def await_that(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds, which it must while the process lives."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.exitcode is None, self.log()[-3000:]
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.02)

    def await_point(self) -> None:
        """Return once it is at its point and, if it stops or dies there, has done so."""
        self.await_that(self.work.reached.exists)

    def go_on(self) -> None:
        """Let it go on from its point."""
        self.work.may_go_on.touch()

    def end(self) -> int:
        """Wait for its end and return how it ended: 0, 1 if the run failed, -9 if killed."""
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
    """Begin a refresh that does `signal_` to itself at the point, or else waits there."""
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
