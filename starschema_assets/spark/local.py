"""The job as a process of this machine, with Spark in local mode."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    PipesMessageHandler,
    PipesMessageReader,
    PipesSubprocessClient,
    PipesTempFileMessageReader,
)
from dagster_pipes import PipesParams

from starschema_assets.errors import StarschemaError
from starschema_assets.settings import Settings
from starschema_assets.spark.messages import Message

SCRIPT = Path(__file__).parent / "job.py"
STOP_SECONDS = 60
"""How long a cancelled process may take to end its work in good order."""


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
        """The messages that are none of Pipes' own."""
        return self._handler.get_custom_messages() if self._handler else ()


class LocalReader(Listener, PipesTempFileMessageReader):
    """Reads messages from a temporary file."""


class LocalClient:
    """The script in this Python."""

    def __init__(self, settings: Settings) -> None:
        self._reader = LocalReader()
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
            command=[sys.executable, str(SCRIPT)],
            env={
                "STARSCHEMA_SOURCE_URL": "",
                "SPARK_LOCAL_DIRS": str(self._scratch / "spark"),
                "SPARK_LOCAL_IP": "127.0.0.1",
            },
        )

    def messages(self) -> Sequence[Message]:
        """What it told."""
        return self._reader.heard
