"""One refresh, phase by phase: `python phases.py PID FILE`, PID being the database server's.

What each phase took goes to FILE, by its name: seconds, CPU seconds of this process, and CPU
seconds of the server. No phase is part of another.
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
    """Adds up what calls take, by phase, without the calls of other phases within."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._within: list[Clocks] = []
        self.took: dict[str, Clocks] = {}

    def now(self) -> Clocks:
        """Seconds, CPU seconds here, CPU seconds of the server."""
        return time.perf_counter(), time.process_time(), cpu_seconds(self._server)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what passes within the block."""
        before = self.now()
        self._within.append(NOTHING)
        yield
        took = _minus(self.now(), before)
        own = _minus(took, self._within.pop())
        self.took[name] = _plus(self.took.get(name, NOTHING), own)
        if self._within:
            self._within.append(_plus(self._within.pop(), took))

    def watch(self, owner: Any, name: str, phase: Callable[..., str | None]) -> None:
        """Count every call of a function to which `phase` gives a name."""
        called = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            if (of := phase(*arguments, **options)) is None:
                return called(*arguments, **options)
            with self.phase(of):
                answer = called(*arguments, **options)
                return iter(list(answer)) if isinstance(answer, Iterator) else answer

        setattr(owner, name, counted)


def main(server: int, file: Path) -> int:
    """Refresh once, watched."""
    phases = Phases(server)
    phases.took["imports"] = (IMPORTS, IMPORTS, 0.0)
    phases.watch(Snapshot, "_ask_census", lambda *_: "the server counts rows and zero dates")
    phases.watch(extraction, "ask_source", lambda *_: "the server adds up its orders")
    phases.watch(Lake, "stage", lambda _, table, *__, **___: _reading(table))
    phases.watch(Extraction, "stage", lambda *_: "connect, and end the audit of the raw tables")
    phases.watch(Transformation, "_stage", lambda _, model, *__: _making(model.contract.table))
    phases.watch(Transformation, "_stage_history", lambda *_: "make and write the histories")
    phases.watch(Transformation, "findings", lambda *_: "audit the star")
    phases.watch(LocalLake, "publish", lambda *_: "publish")
    with (
        phases.phase("Dagster: its events, its steps, and the rest"),
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
    return "make and write the fact" if table == "fact_orders" else "make and write the dimensions"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
