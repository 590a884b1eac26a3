"""Runs one refresh and measures its phases: `python phases.py PID FILE`.

PID is the database server's. FILE gets for each phase the seconds, the CPU seconds of this process
and the CPU seconds of the server. Phases don't overlap.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, execute_job, reconstructable

from benchmarks.process import cpu_seconds
from starschema_assets.lake.lake import Lake
from starschema_assets.lake.local import LocalLake
from starschema_assets.raw import extraction
from starschema_assets.raw.extraction import Extraction
from starschema_assets.run import QUIET, refresh
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.star.transformation import Transformation

IMPORTS = time.process_time()
Clocks = tuple[float, ...]
NOTHING: Clocks = (0.0, 0.0, 0.0)


class Phases:
    """Adds up the time of calls by phase, without nested calls of other phases."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._within: list[Clocks] = []
        self.took: dict[str, Clocks] = {}

    def now(self) -> Clocks:
        """Return wall time, CPU time of this process, and CPU time of the server, in seconds."""
        return time.perf_counter(), time.process_time(), cpu_seconds(self._server)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure the block."""
        before = self.now()
        self._within.append(NOTHING)
        yield
        took = _minus(self.now(), before)
        own = _minus(took, self._within.pop())
        self.took[name] = _plus(self.took.get(name, NOTHING), own)
        if self._within:
            self._within.append(_plus(self._within.pop(), took))

    def watch(self, owner: Any, name: str, phase: Callable[..., str | None]) -> None:
        """Measure the calls of a method. `phase` returns the phase of a call, or None."""
        called = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            if (of := phase(*arguments, **options)) is None:
                return called(*arguments, **options)
            with self.phase(of):
                answer = called(*arguments, **options)
                return iter(list(answer)) if isinstance(answer, Iterator) else answer

        setattr(owner, name, counted)


def main(server: int, file: Path) -> int:
    """Refresh once and measure it."""
    phases = Phases(server)
    phases.took["imports"] = (IMPORTS, IMPORTS, 0.0)
    phases.watch(Snapshot, "_ask_census", lambda *_: "the server counts rows and zero dates")
    phases.watch(extraction, "ask_source", lambda *_: "the server computes its totals")
    phases.watch(Lake, "stage", lambda _, table, *__, **___: _reading(table))
    phases.watch(Extraction, "stage", lambda *_: "connect, and finish the audit of the raw tables")
    phases.watch(Transformation, "_stage", lambda _, model, *__: _making(model.contract.table))
    phases.watch(Transformation, "_stage_history", lambda *_: "compute and write the histories")
    phases.watch(Transformation, "findings", lambda *_: "audit the star")
    phases.watch(LocalLake, "publish", lambda *_: "publish")
    with (
        phases.phase("Dagster's events and steps, and the rest"),
        DagsterInstance.get() as home,
    ):
        run = execute_job(reconstructable(refresh), home, run_config=QUIET)
    file.write_text(json.dumps(phases.took))
    return 0 if run.success else 1


def _plus(some: Clocks, others: Clocks) -> Clocks:
    return tuple(one + other for one, other in zip(some, others, strict=True))


def _minus(some: Clocks, others: Clocks) -> Clocks:
    return tuple(one - other for one, other in zip(some, others, strict=True))


def _reading(table: tuple[str, str]) -> str | None:
    return "read, write and audit the raw tables" if table[0] == "raw" else None


def _making(table: str) -> str:
    kind = "fact" if table == "fact_orders" else "dimensions"
    return f"compute and write the {kind}"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
