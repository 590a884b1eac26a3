"""Records the process of each run, so that Dagster fails a run whose process no longer exists.

Dagster's own launcher can't detect this. The executor in `definitions.py` writes the process into
the run's tags, however the run was started. Dagster's run monitoring calls the `Launcher`, which is
configured in `dagster.yaml`, to check the process of each run in progress.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from dagster import (
    DagsterEvent,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultRunLauncher,
    InitExecutorContext,
    executor,
)
from dagster._core.events import RunFailureReason
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import HIDDEN_TAG_PREFIX, RUN_FAILURE_REASON_TAG

from starschema_assets.errors import StarschemaError

TAG = f"{HIDDEN_TAG_PREFIX}starschema_process"
"""A tag that the UI hides. Its value: the run's id, then the fields of Process."""
ATTEMPT_TAG = "starschema/attempt"
"""Tag of a run that is retried if it is killed. Its value is e.g. `2 of 4`."""
_OWN_REASONS = {
    reason.value
    for reason in (
        RunFailureReason.STEP_FAILURE,
        RunFailureReason.RUN_EXCEPTION,
        RunFailureReason.JOB_INITIALIZATION_FAILURE,
    )
}
"""Values of Dagster's failure reason tag for runs that weren't ended from outside."""


class RunEnded(StarschemaError):  # noqa: N818 - named after the event
    """The run was ended in Dagster, but its process still runs. It must not publish any more."""


class Process(NamedTuple):
    """Identifies a process uniquely, even after a reboot or if its id is reused."""

    host: str
    namespace: str
    """PID namespace: containers number their processes separately."""
    user: str
    """User id: a machine may hide processes of other users (`hidepid`)."""
    boot: str
    started: str
    """Start time in clock ticks since the boot, which doesn't change if the clock is set."""
    pid: str

    @classmethod
    def of(cls, pid: int | str) -> Self | None:
        """Return the current process with this id; None if there is none, or this isn't Linux.

        Raises OSError if the machine hides the process.
        """
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            namespace = str(Path("/proc/self/ns/pid").readlink())
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, *fields = stat.rpartition(")")[2].split()  # the name may contain anything
        if state in "XZ":  # dead or zombie
            return None
        user = str(os.getuid())
        return cls(socket.gethostname(), namespace, user, boot, fields[18], str(pid))

    def is_gone(self) -> bool:
        """Return True if the process has certainly ended, False if it runs or that is unknown."""
        try:
            here = Process.of(os.getpid())
            return here is not None and here[:3] == self[:3] and Process.of(self.pid) != self
        except OSError:
            return False


class Launcher(DefaultRunLauncher):
    """Dagster's default launcher, which also checks whether a run's process still exists."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Enable health checks by run monitoring."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return FAILED if the process has ended, else RUNNING. The time limit covers the rest."""
        run_id, *noted = run.tags.get(TAG, "").split() or ["nobody"]
        # A re-executed run starts with a copy of the previous run's tags
        is_own = run_id == run.run_id and len(noted) == len(Process._fields)
        if is_own and (process := Process(*noted)).is_gone():
            reason = f"process {process.pid} on {process.host} has ended"
            return CheckRunHealthResult(WorkerStatus.FAILED, reason)
        return CheckRunHealthResult(WorkerStatus.RUNNING)


class NotingExecutor(InProcessExecutor):
    """Dagster's in-process executor, which first records its process in the run's tags."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Record the process if it is visible, then execute the run as Dagster does."""
        process = None
        with suppress(OSError):
            process = Process.of(os.getpid())
        if process:
            run_id = plan_context.run_id
            plan_context.instance.add_run_tags(run_id, {TAG: " ".join([run_id, *process])})
        yield from super().execute(plan_context, execution_plan)


@executor(name="in_process")
def noting_executor(_: InitExecutorContext) -> NotingExecutor:
    """Run all steps in one process, which is recorded in the run's tags."""
    return NotingExecutor(RetryMode.ENABLED)


def verify_not_ended(instance: DagsterInstance, run_id: str) -> None:
    """Raise RunEnded if the run has ended in Dagster. Call this before publishing."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished or run.status is DagsterRunStatus.CANCELING:
        status = run.status.value if run else "deleted"
        raise RunEnded(
            f"Run {run_id} is {status} in Dagster, so its process publishes nothing more: start a "
            "new run."
        )


def was_killed(run: DagsterRun) -> bool:
    """Return whether a failed run was ended from outside, without an error of its own."""
    return (
        run.status is DagsterRunStatus.FAILURE
        and run.tags.get(RUN_FAILURE_REASON_TAG) not in _OWN_REASONS
    )
