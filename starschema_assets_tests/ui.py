"""Starts the UI like `make ui`: webserver, daemon and code server, on a free port."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from starschema_assets.settings import CHECKOUT

STARTUP_SECONDS = 300
STOP_SECONDS = 90


@dataclass(frozen=True)
class UI:
    """A running UI, and the environment for commands on the same Dagster instance."""

    url: str
    environment: Mapping[str, str]
    log: Path

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """Run a GraphQL query and return its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{self.url}/graphql", body, headers)) as answer:
            said = json.load(answer)
        assert "errors" not in said, said["errors"]
        data: dict[str, Any] = said["data"]
        return data


@contextmanager
def running_ui(home: Path, port: int, settings: Mapping[str, str]) -> Iterator[UI]:
    """Yield a UI, started by the command of `make ui`, with a new Dagster instance in `home`."""
    home.mkdir()
    (home / "dagster.yaml").write_bytes((CHECKOUT / ".dagster" / "dagster.yaml").read_bytes())
    environment = {**os.environ, "DAGSTER_HOME": str(home), **settings}
    # Processes that a shell starts in the background ignore the interrupt that ends the UI.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "starschema_assets.ui"]
    ui = UI(f"http://127.0.0.1:{port}", environment, home / "log")
    with ui.log.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=home,  # not the checkout, whose .env may configure a real database
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(ui, process)
        yield ui
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        finally:
            _kill(process.pid)


def _wait_for(ui: UI, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            ui.ask("{ version }")
        except (URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(ui.log.read_text()[-2000:]) from None
            time.sleep(0.2)
        else:
            return


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
