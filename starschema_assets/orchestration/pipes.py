"""How Dagster starts the Spark job, by Dagster Pipes, and what becomes of the job's messages."""

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
"""The settings that the job needs, none of them a secret."""
OF_THIS_MACHINE = {"scratch"}
"""Those that say something of this machine."""
STOP_SECONDS = 60
"""How long a cancelled process may take to end its work in good order."""


class Client(Protocol):
    """A Spark job that can be run, and heard also when it fails."""

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """Run the job to its end; raise if it fails, and end it if this run is cancelled."""

    def messages(self) -> Sequence[Message]:
        """What it told."""


class Listener(PipesMessageReader):
    """Keeps the messages of a job that fails, which a client of Dagster's would lose."""

    _handler: PipesMessageHandler | None = None

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[PipesParams]:
        """As of the reader that this is mixed into."""
        self._handler = handler
        with super().read_messages(handler) as params:  # type: ignore[safe-super]
            yield params

    @property
    def heard(self) -> Sequence[Message]:
        """The messages that aren't Pipes' own."""
        return self._handler.get_custom_messages() if self._handler else ()


class LocalReader(Listener, PipesTempFileMessageReader):
    """Reads messages from a temporary file."""


class LocalClient:
    """The script as a process of this machine, with Spark in local mode."""

    def __init__(self, settings: Settings, script: Path) -> None:
        self._reader = LocalReader()
        self._script = script
        self._scratch = settings.scratch

    def run(self, context: AssetExecutionContext, extras: dict[str, Any]) -> None:
        """The script gets this process's environment, without the way into the source."""
        if find_spec("pyspark") is None:
            raise StarschemaError(
                "STARSCHEMA_ENGINE=spark needs PySpark: `make run` and `make ui` install it where "
                "that variable is set."
            )
        client = PipesSubprocessClient(
            message_reader=self._reader, termination_timeout_seconds=STOP_SECONDS
        )
        client.run(
            context=context,
            extras=extras,
            # -P: beside the script are files named after tables, such as calendar.py
            command=[sys.executable, "-P", str(self._script)],
            env={
                "STARSCHEMA_SOURCE_URL": "",
                "SPARK_LOCAL_DIRS": str(self._scratch / "spark"),
                "SPARK_LOCAL_IP": "127.0.0.1",
            },
        )

    def messages(self) -> Sequence[Message]:
        """What it told."""
        return self._reader.heard


def open_client(settings: Settings, script: Path) -> Client:
    """The client of the engine that the settings name; Glue has the script already."""
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
    """Let the job make, audit and publish tables, and yield what it told as if it was done here.

    `contracts` are those of the whole star. Without a table, the job audits what is published.
    What was published is on record even if the job fails later.
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
            for category in (DeprecationWarning, PreviewWarning):  # Dagster's, of its own calls
                warnings.simplefilter("ignore", category)
            client.run(context, extras)
    except (Exception, DagsterExecutionInterruptedError) as error:  # noqa: BLE001 - raised below
        failure = error
    messages = client.messages()
    told = {table.table: table for table in published_in(messages)}
    is_cancelled = isinstance(failure, DagsterExecutionInterruptedError)
    if told or not is_cancelled:
        yield from gate(findings_in(messages, contracts), config)
    for table in told.values():
        contract = next(c for c in contracts if c.table == table.table)
        metadata = table_metadata(contract, table.description, table.uri)
        yield MaterializeResult(asset_key=contract.path, metadata=metadata)
    if failure and (reason := error_in(messages)) and not is_cancelled:
        raise Failure(reason, allow_retries=False) from failure
    if failure:
        raise failure
    if END not in messages:
        raise Failure(
            "The job succeeded, and what it told did not arrive: look into its log, and "
            "materialize the tables again."
        )
