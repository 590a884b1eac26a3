"""Tests for the detection of ended processes, and for runs ended while their process exists."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import WorkerStatus

from starschema_assets.processes import TAG, Launcher, Process, RunEnded, verify_not_ended


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the test ends it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def process_of(child: subprocess.Popen[bytes]) -> Process:
    process = Process.of(child.pid)
    assert process
    return process


def health(process: Process, noted_by: str = "run") -> WorkerStatus:
    """Return the status that Dagster's monitoring gets for a run with this process in its tags."""
    run = DagsterRun("job", run_id="run", tags={TAG: " ".join([noted_by, *process])})
    return Launcher().check_run_worker_health(run).status


def test_a_process_is_there_until_it_is_killed_even_if_nobody_has_noticed_its_death(
    child: subprocess.Popen[bytes],
) -> None:
    process = process_of(child)
    assert health(process) is WorkerStatus.RUNNING
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{child.pid}").exists()
    assert health(process) is WorkerStatus.FAILED
    child.wait()
    assert health(process) is WorkerStatus.FAILED


@pytest.mark.parametrize(
    "other", [{"started": "1"}, {"boot": "another"}], ids=["its id was given again", "a reboot"]
)
def test_a_later_process_is_not_taken_for_it(
    child: subprocess.Popen[bytes], other: dict[str, str]
) -> None:
    assert health(process_of(child)._replace(**other)) is WorkerStatus.FAILED


@pytest.mark.parametrize("elsewhere", ["host", "namespace", "user"])
def test_what_cannot_be_told_from_here_counts_as_running(
    child: subprocess.Popen[bytes], elsewhere: str
) -> None:
    process = process_of(child)
    child.kill()
    child.wait()
    assert health(process._replace(**{elsewhere: "another"})) is WorkerStatus.RUNNING


def test_a_run_that_is_executed_again_is_not_taken_for_the_one_whose_tags_it_has(
    child: subprocess.Popen[bytes],
) -> None:
    process = process_of(child)
    child.kill()
    child.wait()
    assert health(process, noted_by="the run before") is WorkerStatus.RUNNING


@pytest.mark.parametrize("tags", [{}, {TAG: ""}, {TAG: "RUN of another version"}])
def test_a_run_without_a_note_that_can_be_read_counts_as_running(tags: dict[str, str]) -> None:
    run = DagsterRun(job_name="job")
    tags = {name: note.replace("RUN", run.run_id) for name, note in tags.items()}
    health = Launcher().check_run_worker_health(run.with_tags(tags))
    assert health.status is WorkerStatus.RUNNING


ENDED = [DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED, DagsterRunStatus.FAILURE]


@pytest.mark.parametrize("status", ENDED)
def test_a_run_that_was_ended_may_not_go_on(
    instance: DagsterInstance, status: DagsterRunStatus
) -> None:
    run = instance.add_run(DagsterRun("job", status=status))
    with pytest.raises(RunEnded, match=f"Run {run.run_id} is {status.value} in Dagster"):
        verify_not_ended(instance, run.run_id)
    instance.delete_run(run.run_id)
    with pytest.raises(RunEnded, match="is deleted in Dagster"):
        verify_not_ended(instance, run.run_id)
