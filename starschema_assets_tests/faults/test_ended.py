"""Runs whose process is killed or stopped: a real daemon ends, reports and repeats them.

All tests share one deployment, to which everything happens at the same time, because most of the
time is spent waiting.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterRunStatus, RunRecord, RunsFilter
from filelock import FileLock

from starschema_assets.orchestration.alerts import KILLED, Alert
from starschema_assets.processes import ATTEMPT_TAG, TAG
from starschema_assets_tests.daemon import PATIENCE_SECONDS, Deployment, deployed, eventually
from starschema_assets_tests.emulator import emulator
from starschema_assets_tests.inbox import Inbox

REFRESH = "refresh_star_schema"
CRAWL = "crawl_star_schema"
BOUND = 60
"""Time limit of runs in seconds: enough for a crawl on a machine that is busy with other tests."""
MONITORING = {"poll_interval_seconds": 1, "max_runtime_seconds": BOUND}


@dataclass
class Ended:
    """The runs and their alerts."""

    deployment: Deployment
    killed: str
    """A refresh from the command line that was killed while no daemon was running."""
    stopped: str
    """A refresh from the command line that was stopped until its time limit ended it."""
    exit_code: int
    """Exit code of the stopped refresh, which was continued afterwards."""
    crawl: str
    """A crawl that was killed together with its daemon and code server."""
    before: dict[str, bytes]
    """The published files before."""
    alerts: list[Alert]

    def record(self, run_id: str) -> RunRecord:
        """Return a run from the instance."""
        record = self.deployment.pipeline.instance.get_run_record_by_id(run_id)
        assert record
        return record

    def seconds(self, run_id: str) -> float:
        """Return how long the run took according to Dagster."""
        record = self.record(run_id)
        assert record.start_time
        assert record.end_time
        return record.end_time - record.start_time

    def told(self, run_id: str) -> list[str]:
        """Return the texts of the alerts about the run."""
        return [alert.text for alert in self.alerts if run_id in alert.text]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """Three runs that were killed or stopped, after a daemon has handled them."""
    with ExitStack() as stack:
        aws = stack.enter_context(emulator())
        inbox = Inbox(aws)
        inbox.open()
        environment = aws.user("sns:Publish").environment(aws.url)
        settings = {"alert_topic": inbox.topic}
        folder = tmp_path_factory.mktemp("ended")
        deployment = stack.enter_context(deployed(folder, settings, environment, MONITORING))
        assert deployment.pipeline.refresh().success
        before = deployment.pipeline.published()
        lake = Path(deployment.pipeline.settings.lake_uri)
        obstacle = lake / "star" / "obstacle" / "obstacle.parquet"
        obstacle.parent.mkdir()
        os.mkfifo(obstacle)  # a crawl blocks, because nothing writes into this pipe

        with FileLock(lake / "_lock"):  # refreshes wait for the lock
            process, killed = command_line(deployment, stack)
            process.kill()
            process, stopped = command_line(deployment, stack)
            # A process stopped earlier could hold a lock on its events, so its run couldn't fail
            eventually(lambda: waits_for_the_lake(deployment, stopped))
            process.send_signal(signal.SIGSTOP)
            with deployment.daemon() as daemon:
                crawl = eventually(lambda: started(deployment, CRAWL))
                os.killpg(daemon.pid, signal.SIGKILL)
            shutil.rmtree(obstacle.parent)
            stack.enter_context(deployment.daemon())
            for run_id in (killed, stopped, crawl):
                await_failure(deployment, run_id)
        process.send_signal(signal.SIGCONT)
        exit_code = process.wait(PATIENCE_SECONDS)
        eventually(lambda: crawls(deployment, DagsterRunStatus.SUCCESS))
        deployment.await_evaluations("alert_after_failure")
        yield Ended(deployment, killed, stopped, exit_code, crawl, before, inbox.take())


def command_line(deployment: Deployment, stack: ExitStack) -> tuple[subprocess.Popen[bytes], str]:
    """Start the command of `make run`. Return the process and its run, once that has started."""
    log = stack.enter_context((deployment.home / "log").open("ab"))
    process = subprocess.Popen(
        [sys.executable, "-m", "starschema_assets.run"],
        env=deployment.environment,
        stdout=log,
        stderr=log,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process, eventually(lambda: started(deployment, REFRESH, process.pid))


def started(deployment: Deployment, job: str, pid: int | None = None) -> str | None:
    """Return the started run of a job that has recorded its process, or a given process."""
    wanted = RunsFilter(job_name=job, statuses=[DagsterRunStatus.STARTED])
    for run in deployment.pipeline.instance.get_runs(wanted):
        noted = run.tags.get(TAG, "").split()
        if noted and pid in {None, int(noted[-1])}:
            return run.run_id
    return None


def waits_for_the_lake(deployment: Deployment, run_id: str) -> bool:
    entries = deployment.pipeline.instance.all_logs(run_id)
    return any(entry.message.startswith("Waiting for the lake") for entry in entries)


def await_failure(deployment: Deployment, run_id: str) -> None:
    failed = RunsFilter([run_id], statuses=[DagsterRunStatus.FAILURE])
    eventually(lambda: deployment.pipeline.instance.get_runs(failed))


def crawls(deployment: Deployment, *statuses: DagsterRunStatus) -> list[RunRecord]:
    wanted = RunsFilter(job_name=CRAWL, statuses=statuses)
    return list(deployment.pipeline.instance.get_run_records(wanted))


def test_a_run_that_was_killed_while_no_daemon_was_there_is_failed_by_the_next_one(
    ended: Ended,
) -> None:
    (text,) = ended.told(ended.killed)
    assert "has ended" in text
    assert "Not published: raw/customers, " in text


def test_a_stopped_run_is_let_alone_until_its_bound_and_publishes_nothing_afterwards(
    ended: Ended,
) -> None:
    assert ended.seconds(ended.stopped) > BOUND
    assert ended.exit_code == 1
    assert ended.deployment.pipeline.published() == ended.before


def test_a_run_that_failed_once_more_after_its_end_is_told_once(ended: Ended) -> None:
    instance = ended.deployment.pipeline.instance
    failures = instance.all_logs(ended.stopped, of_type=DagsterEventType.RUN_FAILURE)
    assert len(failures) == 2
    (text,) = ended.told(ended.stopped)
    assert KILLED in text


def test_a_crawl_that_was_killed_with_everything_around_it_is_tried_again_and_good(
    ended: Ended,
) -> None:
    (text,) = ended.told(ended.crawl)
    assert "has ended" in text
    assert "Attempt: 1 of 4, killed: it will be retried automatically." in text
    good, failed = crawls(ended.deployment)
    assert failed.dagster_run.run_id == ended.crawl
    assert good.dagster_run.is_success
    assert good.dagster_run.tags[ATTEMPT_TAG] == "2 of 4"
