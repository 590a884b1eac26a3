"""How Dagster starts the job, by Dagster Pipes, and what becomes of the job's messages."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    DagsterExecutionInterruptedError,
    Failure,
    Output,
    PreviewWarning,
)

from starschema_assets.orchestration.io_manager import Elsewhere
from starschema_assets.orchestration.reports import AuditConfig, gate
from starschema_assets.settings import Settings
from starschema_assets.spark.messages import END, Message, error_in, findings_in, published_in

PASSED = {"lake_uri", "lock_wait", "keep_versions", "max_order_age"}
"""The settings that the job needs, none of them a secret."""
HERE = {"scratch"}
"""Those that say something of this machine."""


class Client(Protocol):
    """A Spark job that can be run, and heard also when it fails."""

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """Run the job to its end; raise if it fails, and end it if this run is cancelled."""

    def messages(self) -> Sequence[Message]:
        """What it told."""


def open_client(settings: Settings) -> Client:
    """The client of the engine that the settings name."""
    if settings.engine == "glue":
        from starschema_assets.spark.glue import GlueClient  # noqa: PLC0415 - boto3's third of a second

        return GlueClient(settings)
    from starschema_assets.spark.local import LocalClient  # noqa: PLC0415

    return LocalClient(settings)


def run_job(
    context: AssetExecutionContext, settings: Settings, tables: Sequence[str], config: AuditConfig
) -> Iterator[AssetCheckResult | Output[Elsewhere]]:
    """Let the job make, audit and publish tables, and yield what it told as if it was done here.

    Without a table it audits those that are published. What was published is on record even if
    the job fails later.
    """
    client = open_client(settings)
    passed = PASSED if settings.engine == "glue" else PASSED | HERE
    extras = {
        "tables": list(tables),
        "accept": config.accept,
        "settings": settings.model_dump(mode="json", include=passed),
    }
    failure: BaseException | None = None
    try:
        with warnings.catch_warnings():
            for category in (DeprecationWarning, PreviewWarning):  # Dagster's, of its own calls
                warnings.simplefilter("ignore", category)
            client.run(context, extras)
    except (Exception, DagsterExecutionInterruptedError) as error:  # noqa: BLE001 - raised below
        failure = error
    messages = client.messages()
    told = {table.table: table for table in published_in(messages)}
    is_cancelled = isinstance(failure, DagsterExecutionInterruptedError)
    if told or not is_cancelled:
        yield from gate(findings_in(messages), config)
    for table in told.values():
        yield Output(Elsewhere(table.description, table.uri), output_name=table.table)
    if failure and (reason := error_in(messages)) and not is_cancelled:
        raise Failure(reason, allow_retries=False) from failure
    if failure:
        raise failure
    if END not in messages:
        raise Failure(
            "The job succeeded, and what it told did not arrive: look into its log, and "
            "materialize the tables again."
        )
