"""A refresh with Glue: Dagster's requests to Glue, and the results.

The lake is on a real S3 server. Glue is an emulator that doesn't run scripts: a stand-in runs the
job's script with the same arguments in local Spark. How a real Glue cluster reads and writes S3 is
not tested.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from dagster import DagsterInstance
from dagster_pipes import decode_param
from pydantic import SecretStr

from starschema_assets.settings import Settings
from starschema_assets_tests.aws_faults import FaultyAWS, faulty_aws
from starschema_assets_tests.conftest import Sales
from starschema_assets_tests.emulator import Emulator, emulator
from starschema_assets_tests.glue_workers import GlueWorkers
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline
from starschema_assets_tests.seaweedfs import seaweedfs
from starschema_assets_tests.test_aws import User

BUCKET = "company-lake"
JOB = "star"
ACTIONS = ("glue:StartJobRun", "glue:GetJobRun", "glue:BatchStopJobRun")


class Glue(GlueWorkers):
    """The emulator behind a proxy, and a stand-in for Glue's workers."""

    def __init__(self, aws: Emulator, proxy: FaultyAWS, folder: Path) -> None:
        client: Any = aws.session.client("glue", endpoint_url=aws.url)
        client.create_job(
            Name=JOB, Role="arn:aws:iam::000000000000:role/r", Command={"Name": "glueetl"}
        )
        super().__init__(client, JOB, proxy, {**os.environ, "TMPDIR": str(folder)})

    @property
    def polled(self) -> int:
        """Number of requests for a run's state."""
        return self.proxy.asked.count("GetJobRun")

    def say(self, state: str, message: str = "") -> None:
        """Report this state for all runs, whatever their real state."""
        told = {"JobRunState": state, "ErrorMessage": message}
        self.proxy.alter["GetJobRun"] = lambda answer: answer["JobRun"].update(told)


@pytest.fixture
def glue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Glue]:
    """Glue and a bucket. The user has the permissions ACTIONS and may read and write the bucket."""
    with emulator() as aws, faulty_aws(aws.url) as proxy:
        user = User("pipeline", ("Admin", "Read", "Write", "List"), aws.user(*ACTIONS))
        with seaweedfs(tmp_path, user) as s3:
            for name, value in user.keys.environment(proxy.url).items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
            boto3.Session().client("s3").create_bucket(Bucket=BUCKET)
            yield Glue(aws, proxy, tmp_path)


@pytest.fixture
def pipeline(sales: Sales, instance: DagsterInstance, tmp_path: Path) -> Pipeline:
    """A pipeline with a lake on S3, whose raw tables are refreshed."""
    settings = Settings(
        source_url=SecretStr(sales.url),
        lake_uri=f"s3://{BUCKET}/lake",
        scratch=tmp_path / "scratch",
        engine="glue",
        glue_job=JOB,
    )
    return Pipeline(settings, instance)


def test_the_job_gets_what_it_needs_and_no_secret_and_its_star_is_published(
    glue: Glue, pipeline: Pipeline
) -> None:
    glue.run_the_script()
    run = pipeline.refresh()
    assert run.success
    assert glue.polled > 1
    assert set(glue.arguments) == {"--dagster-pipes-context", "--dagster-pipes-messages"}
    context = decode_param(glue.arguments["--dagster-pipes-context"])["data"]
    assert context["extras"] == {
        "tables": [table for _, table in STAR],
        "accept": [],
        "settings": {
            "lake_uri": pipeline.settings.lake_uri,
            "lock_wait": 600,
            "keep_versions": 5,
            "max_order_age": None,
            "max_new_versions": 0.2,
            "history_timezone": "UTC",
        },
    }
    messages = decode_param(glue.arguments["--dagster-pipes-messages"])
    assert messages["key_prefix"].startswith("lake/_spark/messages/")
    assert pipeline.materialized(run) == ["/".join(table) for table in [*RAW, *STAR]]
    assert pipeline.check("star/fact_orders:matches_source").passed
    assert pipeline.lake.footer(("star", "fact_orders")).metadata["run_id"] == run.run_id
    assert pipeline.lake.tables("star") == sorted(STAR)


def test_a_run_that_glue_ends_shows_glues_own_error(glue: Glue, pipeline: Pipeline) -> None:
    assert pipeline.refresh(*RAW).success
    glue.say("FAILED", "OutOfMemoryError: Java heap space")
    reason = pipeline.reason(pipeline.refresh(*STAR))
    assert f"Glue job {JOB} run " in reason
    assert "completed with status FAILED" in reason
    assert "OutOfMemoryError: Java heap space" in reason
    assert pipeline.lake.tables("star") == []


def test_a_job_that_succeeds_without_a_word_fails_the_run(glue: Glue, pipeline: Pipeline) -> None:
    assert pipeline.refresh(*RAW).success
    glue.say("SUCCEEDED")
    reason = pipeline.reason(pipeline.refresh(*STAR))
    assert "its last messages did not arrive" in reason


def test_a_job_that_is_not_there_is_named(glue: Glue, pipeline: Pipeline) -> None:
    assert pipeline.refresh(*RAW).success
    glue.client.delete_job(JobName=JOB)
    assert f"Job {JOB} not found" in pipeline.reason(pipeline.refresh(*STAR))


def test_a_cancelled_run_stops_the_job(glue: Glue, pipeline: Pipeline, tmp_path: Path) -> None:
    assert pipeline.refresh(*RAW).success
    glue.say("RUNNING")
    stopped = {"SuccessfulSubmissions": [{"JobName": JOB, "JobRunId": "r"}], "Errors": []}
    glue.proxy.alter["BatchStopJobRun"] = lambda answer: answer.update(stopped)
    (tmp_path / "home").mkdir()
    run = subprocess.Popen(
        [sys.executable, "-m", "starschema_assets.run"],
        env=os.environ
        | {
            "DAGSTER_HOME": str(tmp_path / "home"),
            "STARSCHEMA_ENGINE": "glue",
            "STARSCHEMA_GLUE_JOB": JOB,
            "STARSCHEMA_LAKE_URI": pipeline.settings.lake_uri,
            "STARSCHEMA_SCRATCH": str(tmp_path / "scratch"),
            "STARSCHEMA_SOURCE_URL": pipeline.settings.source_url.get_secret_value(),
        },
    )
    while glue.polled < 2:  # the client requests the state once before it waits
        assert run.poll() is None
        time.sleep(0.1)
    assert "BatchStopJobRun" not in glue.proxy.asked
    run.send_signal(signal.SIGINT)
    assert run.wait() != 0
    assert "BatchStopJobRun" in glue.proxy.asked
