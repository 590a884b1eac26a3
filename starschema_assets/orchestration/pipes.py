"""Starts the Spark job through Dagster Pipes and turns its messages into Dagster events."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    DagsterExecutionInterruptedError,
    Failure,
    MaterializeResult,
    PipesMessageHandler,
    PipesMessageReader,
    PipesSubprocessClient,
    PipesTempFileMessageReader,
    PreviewWarning,
)
from dagster_pipes import PipesParams

from starschema_assets.contract import Contract
from starschema_assets.errors import StarschemaError
from starschema_assets.orchestration.reports import AuditConfig, gate, table_metadata
from starschema_assets.settings import Settings
from starschema_assets.spark.messages import END, Message, error_in, findings_in, published_in

PASSED = {
    "lake_uri",
    "lock_wait",
    "keep_versions",
    "max_order_age",
    "max_new_versions",
    "history_timezone",
}
"""The settings that the job needs. None of them is secret."""
OF_THIS_MACHINE = {"scratch"}
"""Settings that a job on this machine needs as well."""
STOP_SECONDS = 60
"""Seconds that a cancelled process may take to clean up and end."""


class Client(Protocol):
    """Runs the Spark job. Its messages are available even if it fails."""

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """Run the job and wait for its end. Raise if it fails. Stop it if this run is cancelled."""

    def messages(self) -> Sequence[Message]:
        """Return the messages that the job has sent."""


class Listener(PipesMessageReader):
    """Keeps the messages of a failed job. Dagster's clients would lose them."""

    _handler: PipesMessageHandler | None = None

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[PipesParams]:
        self._handler = handler
        with super().read_messages(handler) as params:  # type: ignore[safe-super]
            yield params

    @property
    def heard(self) -> Sequence[Message]:
        """The job's messages, without those of the Pipes protocol."""
        return self._handler.get_custom_messages() if self._handler else ()


class LocalReader(Listener, PipesTempFileMessageReader):
    """Reads messages from a temporary file."""


class LocalClient:
    """Runs the script as a local process, with Spark in local mode."""

    def __init__(self, settings: Settings, script: Path) -> None:
        self._reader = LocalReader()
        self._script = script
        self._scratch = settings.scratch

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """Run the script with this process's environment, but without the source's URL."""
        if find_spec("pyspark") is None:
            raise StarschemaError(
                "STARSCHEMA_ENGINE=spark needs PySpark: start with `make run` or `make ui`, which "
                "install it if that variable is set."
            )
        client = PipesSubprocessClient(
            message_reader=self._reader, termination_timeout_seconds=STOP_SECONDS
        )
        client.run(
            context=context,
            extras=extras,
            # -P: a table's module beside the script, e.g. calendar.py, must not hide Python's own
            command=[sys.executable, "-P", str(self._script)],
            env={
                "STARSCHEMA_SOURCE_URL": "",
                "SPARK_LOCAL_DIRS": str(self._scratch / "spark"),
                "SPARK_LOCAL_IP": "127.0.0.1",
            },
        )

    def messages(self) -> Sequence[Message]:
        return self._reader.heard


def open_client(settings: Settings, script: Path) -> Client:
    """Return the client of the configured engine. On Glue, the script is already deployed."""
    if settings.engine == "glue":
        from starschema_assets.orchestration.pipes_glue import (  # noqa: PLC0415 - loads boto3
            GlueClient,
        )

        return GlueClient(settings)
    return LocalClient(settings, script)


def run_job(  # noqa: PLR0913, PLR0917
    context: AssetExecutionContext,
    settings: Settings,
    script: Path,
    tables: Sequence[str],
    contracts: Sequence[Contract],
    config: AuditConfig,
) -> Iterator[AssetCheckResult | MaterializeResult[None]]:
    """Run the job, which builds, audits and publishes tables, and yield its results.

    `contracts` are those of the whole star. Without tables, the job audits the published ones.
    Published tables are reported even if the job fails later.
    """
    client = open_client(settings, script)
    passed = PASSED if settings.engine == "glue" else PASSED | OF_THIS_MACHINE
    extras = {
        "tables": list(tables),
        "accept": config.accept,
        "settings": settings.model_dump(mode="json", include=passed),
    }
    failure: BaseException | None = None
    try:
        with warnings.catch_warnings():
            for category in (DeprecationWarning, PreviewWarning):  # raised by Dagster's own calls
                warnings.simplefilter("ignore", category)
            client.run(context, extras)
    except (Exception, DagsterExecutionInterruptedError) as error:  # noqa: BLE001 - raised below
        failure = error
    messages = client.messages()
    published = {table.table: table for table in published_in(messages)}
    is_cancelled = isinstance(failure, DagsterExecutionInterruptedError)
    if published or not is_cancelled:
        yield from gate(findings_in(messages, contracts), config)
    for table in published.values():
        contract = next(c for c in contracts if c.table == table.table)
        metadata = table_metadata(contract, table.description, table.uri)
        yield MaterializeResult(asset_key=contract.path, metadata=metadata)
    if failure and (reason := error_in(messages)) and not is_cancelled:
        raise Failure(reason, allow_retries=False) from failure
    if failure:
        raise failure
    if END not in messages:
        raise Failure(
            "The job succeeded, but its last messages did not arrive: check its log, and "
            "materialize the tables again."
        )
