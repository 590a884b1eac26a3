"""The job in AWS Glue: started, followed and stopped by Dagster's own client for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from dagster import AssetExecutionContext, PipesEnvContextInjector
from dagster_aws.pipes import PipesGlueClient, PipesS3MessageReader
from dagster_pipes import PipesParams

from starschema_assets.errors import StarschemaError
from starschema_assets.orchestration.pipes import Listener
from starschema_assets.settings import Settings
from starschema_assets.spark.messages import Message

POLL_SECONDS = 2


class S3Reader(Listener, PipesS3MessageReader):
    """Reads messages from below the lake's `_spark/messages/`, as the job runs and if it fails.

    Glue's log would do for a job that succeeds; the client doesn't read it if the job fails.
    """

    def __init__(self, session: boto3.Session, bucket: str, prefix: str) -> None:
        super().__init__(bucket=bucket, client=session.client("s3"), interval=POLL_SECONDS)
        self._prefix = f"{prefix}_spark/messages/"

    @contextmanager
    def get_params(self) -> Iterator[PipesParams]:
        """A place of this run's own, as the base has it, within the lake."""
        with super().get_params() as params:
            yield {**params, "key_prefix": f"{self._prefix}{params['key_prefix']}"}


class GlueClient:
    """The job that STARSCHEMA_GLUE_JOB names."""

    def __init__(self, settings: Settings) -> None:
        if settings.s3_lake is None:
            raise StarschemaError(
                f"STARSCHEMA_ENGINE=glue can't reach {settings.lake_uri}: "
                "let STARSCHEMA_LAKE_URI name a lake on S3."
            )
        self._job = str(settings.glue_job)
        session = boto3.Session()  # not the default one, which all threads of the process share
        self._glue = session.client("glue")
        self._reader = S3Reader(session, *settings.s3_lake)

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """What the job needs to know travels in its arguments."""
        client = PipesGlueClient(
            context_injector=PipesEnvContextInjector(),
            message_reader=self._reader,
            client=self._glue,
        )
        client.run(context=context, start_job_run_params={"JobName": self._job}, extras=extras)

    def messages(self) -> Sequence[Message]:
        """What it told."""
        return self._reader.heard
