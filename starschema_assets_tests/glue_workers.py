"""Replaces Glue's workers: each run of the Spark job is a local Spark process."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from starschema_assets.assets import JOB as SCRIPT
from starschema_assets_tests.aws_faults import Answer, FaultyAWS


class GlueWorkers:
    """Runs the script of a job that the emulator only records as started."""

    def __init__(
        self, client: Any, job: str, proxy: FaultyAWS, environment: Mapping[str, str]
    ) -> None:
        """Set the environment of the script. Nothing runs before `run_the_script`."""
        self.client = client
        self.job = job
        self.proxy = proxy
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {**environment, "SPARK_LOCAL_IP": "127.0.0.1"}

    @property
    def arguments(self) -> dict[str, str]:
        """Arguments of the last run."""
        (*_, run) = self.client.get_job_runs(JobName=self.job)["JobRuns"]
        arguments: dict[str, str] = run["Arguments"]
        return arguments

    def run_the_script(self) -> None:
        """From now on, run the script for every job run."""
        self.proxy.on_start["StartJobRun"] = self._start
        self.proxy.alter["GetJobRun"] = self._tell

    def _start(self) -> None:
        arguments = [part for pair in self.arguments.items() for part in pair]
        self.process = subprocess.Popen([sys.executable, SCRIPT, *arguments], env=self._environment)

    def _tell(self, answer: Answer) -> None:
        assert self.process
        states = {None: "RUNNING", 0: "SUCCEEDED"}
        answer["JobRun"]["JobRunState"] = states.get(self.process.poll(), "FAILED")
