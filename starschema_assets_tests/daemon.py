"""Runs a real Dagster daemon for an instance, without a webserver."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from starschema_assets.sample import ensure_sample
from starschema_assets.settings import CHECKOUT, Settings
from starschema_assets_tests.pipeline import Pipeline

PATIENCE_SECONDS = 300
STOP_SECONDS = 90
JOB = "refresh_star_schema"

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen | None]) -> Seen:
    """Call the function until it returns a true value, and return that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.2)
    pytest.fail(f"not seen within {PATIENCE_SECONDS} s")


@dataclass(frozen=True)
class Deployment:
    """A pipeline from a DuckDB file, on an instance for a daemon."""

    pipeline: Pipeline
    environment: Mapping[str, str]
    home: Path
    source: Path

    def sql(self, statement: str) -> None:
        """Change the source."""
        with duckdb.connect(self.source) as connection:
            connection.execute(statement)

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """Yield a running daemon, in a separate process group."""
        command = [sys.executable, "-m", "dagster._daemon", "run"]
        command += ["-w", str(CHECKOUT / "workspace.yaml")]
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def launch(self) -> DagsterRun:
        """Let the daemon start the main job, like the UI, and return the run after its end."""
        command = [sys.executable, "-m", "dagster", "job", "launch", "-j", JOB]
        command += ["-w", str(CHECKOUT / "workspace.yaml")]
        subprocess.run(
            command, cwd=self.home, env=self.environment, check=True, capture_output=True
        )
        instance = self.pipeline.instance
        (run,) = instance.get_runs(RunsFilter(job_name=JOB), limit=1)
        ended = RunsFilter(
            [run.run_id], statuses=[DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
        )
        return eventually(lambda: instance.get_runs(ended))[0]

    def evaluations(self, sensor: str) -> list[str]:
        """Return the results of a sensor's completed evaluations, newest first."""
        instance = self.pipeline.instance
        for state in instance.all_instigator_state():
            if state.instigator_name == sensor:
                ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id)
                return [tick.status.value for tick in ticks if tick.status.value != "STARTED"]
        return []

    def await_evaluations(self, sensor: str) -> None:
        """Wait for two more evaluations; the second one starts after this call."""
        before = len(self.evaluations(sensor))
        eventually(lambda: len(self.evaluations(sensor)) >= before + 2)


@contextmanager
def deployed(
    folder: Path,
    values: Mapping[str, str] | None = None,
    aws: Mapping[str, str] | None = None,
    monitoring: Mapping[str, int] | None = None,
) -> Iterator[Deployment]:
    """Return a pipeline from a sample file to a lake in `folder`, with settings and AWS variables.

    `monitoring` replaces entries of the instance's run_monitoring.
    """
    source = folder / "source.duckdb"
    ensure_sample(source)
    settings = {
        "source_url": f"duckdb:///{source}",
        "lake_uri": str(folder / "lake"),
        "catalog": str(folder / "catalog.duckdb"),
        "scratch": str(folder / "scratch"),
        **(values or {}),
    }
    home = folder / "dagster_home"
    home.mkdir()
    instance_yaml = (CHECKOUT / ".dagster" / "dagster.yaml").read_text()
    for name, seconds in (monitoring or {}).items():
        instance_yaml, replaced = re.subn(
            rf"(?m)^  {name}: .*", f"  {name}: {seconds}", instance_yaml
        )
        assert replaced == 1
    (home / "dagster.yaml").write_text(instance_yaml)
    environment = {**os.environ, "DAGSTER_HOME": str(home), **(aws or {})}
    environment |= {f"STARSCHEMA_{name.upper()}": value for name, value in settings.items()}
    with DagsterInstance.from_config(str(home)) as instance:
        pipeline = Pipeline(Settings.model_validate(settings), instance)
        yield Deployment(pipeline, environment, home, source)
