"""Runs the Spark job in AWS Glue through Dagster's Pipes client."""

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
    """Reads messages below the lake's `_spark/messages/` while the job runs, even if it fails.

    The Pipes client could read messages from Glue's log instead, but not if the job fails.
    """

    def __init__(self, session: boto3.Session, bucket: str, prefix: str) -> None:
        super().__init__(bucket=bucket, client=session.client("s3"), interval=POLL_SECONDS)
        self._prefix = f"{prefix}_spark/messages/"

    @contextmanager
    def get_params(self) -> Iterator[PipesParams]:
        """Put this run's key prefix, which the base class generates, below the lake's."""
        with super().get_params() as params:
            yield {**params, "key_prefix": f"{self._prefix}{params['key_prefix']}"}


class GlueClient:
    """Runs the Glue job STARSCHEMA_GLUE_JOB."""

    def __init__(self, settings: Settings) -> None:
        if settings.s3_lake is None:
            raise StarschemaError(
                f"STARSCHEMA_ENGINE=glue can't reach {settings.lake_uri}: "
                "set STARSCHEMA_LAKE_URI to a location on S3."
            )
        self._job = str(settings.glue_job)
        session = boto3.Session()  # the default session isn't thread-safe
        self._glue = session.client("glue")
        self._reader = S3Reader(session, *settings.s3_lake)

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """Run the job. The Pipes context is passed in its arguments."""
        client = PipesGlueClient(
            context_injector=PipesEnvContextInjector(),
            message_reader=self._reader,
            client=self._glue,
        )
        client.run(context=context, start_job_run_params={"JobName": self._job}, extras=extras)

    def messages(self) -> Sequence[Message]:
        return self._reader.heard
