"""Which process a run lives in, so that Dagster ends a run whose process is gone.

Dagster's own launcher can't tell. `dagster.yaml` names `Launcher`, which Dagster's run monitoring
asks about each run that is under way; the executor in `definitions.py` leaves a note of the run's
process in its tags, whoever started the run.
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
"""The UI doesn't list such tags. Its value: the run's id, then what Process has."""
ATTEMPT_TAG = "starschema/attempt"
"""Of a run that is tried again if it is killed. Its value: e.g. `2 of 4`."""
_OWN_REASONS = {
    reason.value
    for reason in (
        RunFailureReason.STEP_FAILURE,
        RunFailureReason.RUN_EXCEPTION,
        RunFailureReason.JOB_INITIALIZATION_FAILURE,
    )
}
"""Why a run failed by itself, as Dagster's own tag says it."""


class RunEnded(StarschemaError):  # noqa: N818 - reads as what happened
    """The run was ended in Dagster while its process lived on: it must publish nothing more."""


class Process(NamedTuple):
    """Identifies one process, even after a reboot or when its id is used again."""

    host: str
    namespace: str
    """Containers of one machine count their processes each for themselves."""
    user: str
    """Of others', a machine may hide whether they live (`hidepid`)."""
    boot: str
    started: str
    """Clock ticks since the boot: the clock itself may be set while the process lives."""
    pid: str

    @classmethod
    def of(cls, pid: int | str) -> Self | None:
        """The process that has this id now; None if there is none, or no Linux to ask.

        Raises OSError if the machine hides it.
        """
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            namespace = str(Path("/proc/self/ns/pid").readlink())
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, *fields = stat.rpartition(")")[2].split()  # a name before it may hold anything
        if state in "XZ":  # dead, and not yet noticed by its parent
            return None
        user = str(os.getuid())
        return cls(socket.gethostname(), namespace, user, boot, fields[18], str(pid))

    def is_gone(self) -> bool:
        """Whether it has certainly ended; False also if that can't be seen from here."""
        try:
            here = Process.of(os.getpid())
            return here is not None and here[:3] == self[:3] and Process.of(self.pid) != self
        except OSError:
            return False


class Launcher(DefaultRunLauncher):
    """Dagster's default launcher, which also knows whether a run's process is there."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: run monitoring asks."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """FAILED if the process has ended, else RUNNING: if unknown, the time limit ends it."""
        run_id, *noted = run.tags.get(TAG, "").split() or ["nobody"]
        # A run that is executed again begins with the tags of the one before
        is_own = run_id == run.run_id and len(noted) == len(Process._fields)
        if is_own and (process := Process(*noted)).is_gone():
            reason = f"process {process.pid} on {process.host} has ended"
            return CheckRunHealthResult(WorkerStatus.FAILED, reason)
        return CheckRunHealthResult(WorkerStatus.RUNNING)


class NotingExecutor(InProcessExecutor):
    """Dagster's in-process executor, which first notes the process that the run lives in."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Note it if it can be seen, then go on as Dagster's own does."""
        process = None
        with suppress(OSError):
            process = Process.of(os.getpid())
        if process:
            run_id = plan_context.run_id
            plan_context.instance.add_run_tags(run_id, {TAG: " ".join([run_id, *process])})
        yield from super().execute(plan_context, execution_plan)


@executor(name="in_process")
def noting_executor(_: InitExecutorContext) -> NotingExecutor:
    """All steps in one process, which the run's tags name."""
    return NotingExecutor(RetryMode.ENABLED)


def verify_not_ended(instance: DagsterInstance, run_id: str) -> None:
    """Raise RunEnded unless the run is still under way; to be asked before publishing."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished or run.status is DagsterRunStatus.CANCELING:
        status = run.status.value if run else "deleted"
        raise RunEnded(
            f"Run {run_id} is {status} in Dagster: this process publishes nothing more. Run again."
        )


def was_killed(run: DagsterRun) -> bool:
    """Whether a failed run was ended from outside, so that nothing in it says why."""
    return (
        run.status is DagsterRunStatus.FAILURE
        and run.tags.get(RUN_FAILURE_REASON_TAG) not in _OWN_REASONS
    )
