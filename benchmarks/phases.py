"""Measures the phases of one refresh in a separate process."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.process import run
from benchmarks.rounds import settings_in, workshop
from benchmarks.source import Source
from benchmarks.tables import table
from starschema_assets.settings import CHECKOUT

SCRIPT = Path(__file__).parent / "scripts" / "phases.py"

Phases = Mapping[str, tuple[float, float, float]]
"""For each phase: seconds, CPU seconds of the refresh, CPU seconds of the server."""


def phases_of(source: Source, timeout: float) -> Phases:
    """Refresh once and return the phases. The server already has the data in memory."""
    with workshop() as folder:
        file = folder / "phases.json"
        settings = settings_in(folder, source.url) | {"PYTHONPATH": str(CHECKOUT)}
        pid = str(source.server.pid)
        cost = run([sys.executable, SCRIPT, pid, file], settings, folder, timeout)
        if cost.error:
            raise RuntimeError(f"the refresh by phases failed: {cost.error}")
        found: Phases = json.loads(file.read_text(encoding="utf-8"))
    return found


def phases_table(phases: Phases) -> str:
    """Return the table of phases, with their total."""
    rows = [(name, *clocks) for name, clocks in phases.items()]
    total = ("**total**", *(sum(clock) for clock in zip(*phases.values(), strict=True)))
    return table(
        "phase | seconds | CPU s | server CPU s",
        ((name, *(f"{seconds:.1f}" for seconds in clocks)) for name, *clocks in [*rows, total]),
    )
