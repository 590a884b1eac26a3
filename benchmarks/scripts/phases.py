"""One refresh, phase by phase: `python phases.py PID FILE`, PID being the database server's.

What each phase took goes to FILE, by its name: seconds, CPU seconds of this process, and CPU
seconds of the server. No phase is part of another.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, execute_job, reconstructable

from benchmarks.process import cpu_seconds
from starschema_assets.lake.lake import Lake
from starschema_assets.lake.local import LocalLake
from starschema_assets.quality.checks import FACT
from starschema_assets.raw import extraction
from starschema_assets.raw.audit import RawAudit
from starschema_assets.run import QUIET, refresh
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.star.transformation import Transformation

IMPORTS = time.process_time()
Clocks = tuple[float, ...]


class Phases:
    """Adds up what calls take, by phase."""

    def __init__(self, server: int) -> None:
        self._server = server
        self.took: dict[str, Clocks] = {}

    def now(self) -> Clocks:
        """Seconds, CPU seconds here, CPU seconds of the server."""
        return time.perf_counter(), time.process_time(), cpu_seconds(self._server)

    def add(self, phase: str, before: Clocks) -> None:
        """Count what has passed since `before`."""
        so_far = self.took.get(phase, (0.0, 0.0, 0.0))
        self.took[phase] = tuple(
            sum_ + now - then for sum_, now, then in zip(so_far, self.now(), before, strict=True)
        )

    def watch(self, owner: Any, name: str, phase: Callable[..., str | None]) -> None:
        """Count every call of a function to which `phase` gives a name."""
        called = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            if (of := phase(*arguments, **options)) is None:
                return called(*arguments, **options)
            before = self.now()
            answer = called(*arguments, **options)
            answer = iter(list(answer)) if isinstance(answer, Iterator) else answer
            self.add(of, before)
            return answer

        setattr(owner, name, counted)


def main(server: int, file: Path) -> int:
    """Refresh once, watched."""
    phases = Phases(server)
    phases.watch(Snapshot, "_ask_census", lambda *_: "the server counts rows and zero dates")
    phases.watch(extraction, "_order_figures", lambda *_: "the server adds up its orders")
    phases.watch(Lake, "stage", lambda _, table, *__, **___: _reading(table))
    phases.watch(RawAudit, "versions", lambda *_: "audit the raw tables")
    phases.watch(Transformation, "_stage", lambda _, __, model, *___: _making(model.contract.table))
    phases.watch(Transformation, "findings", lambda *_: "audit the star")
    phases.watch(LocalLake, "publish", lambda *_: "publish")
    begun = phases.now()
    with DagsterInstance.get() as instance:
        run = execute_job(reconstructable(refresh), instance, run_config=QUIET)
    counted = [sum(clock) for clock in zip(*phases.took.values(), strict=True)]
    phases.add("Dagster: its events, its steps, and the rest", begun)
    rest, whole = list(phases.took)[-1], phases.took.popitem()[1]
    phases.took[rest] = tuple(all_ - part for all_, part in zip(whole, counted, strict=True))
    phases.took["imports"] = (IMPORTS, IMPORTS, 0.0)
    file.write_text(json.dumps(phases.took))
    return 0 if run.success else 1


def _reading(table: tuple[str, str]) -> str | None:
    return "read and write the raw tables" if table[0] == "raw" else None


def _making(table: str) -> str:
    return "make and write the fact" if table == FACT else "make and write the dimensions"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
