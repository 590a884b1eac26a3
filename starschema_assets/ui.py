"""`make ui`: Dagster's webserver and daemon, started at most once per instance."""

import argparse
import errno
import fcntl
import os
import socket
import sys
from typing import IO

from starschema_assets import command
from starschema_assets.errors import StarschemaError
from starschema_assets.sample import ensure_sample
from starschema_assets.settings import CHECKOUT, Settings

HOST = "127.0.0.1"


def main() -> None:
    """Replace this process with `dagster dev`. Raises StarschemaError if one is running already."""
    parser = argparse.ArgumentParser("python -m starschema_assets.ui", description=__doc__)
    parser.add_argument("--port", type=_port, default=3000, help="webserver's port (default: 3000)")
    port = parser.parse_args().port
    settings = Settings()
    lock = _locked(f"http://{HOST}:{port}, process {os.getpid()}")
    _verify_free(port)
    if "source_url" not in settings.model_fields_set:
        ensure_sample()
    os.environ["DAGSTER_HOME"] = str(command.home())
    os.set_inheritable(lock.fileno(), True)  # noqa: FBT003 - held until `dagster dev` ends
    workspace = str(CHECKOUT / "workspace.yaml")
    arguments = ["dev", "-w", workspace, "-h", HOST, "-p", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "dagster", *arguments])  # noqa: S606


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**16):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 65535")
    return int(text)


def _locked(holder: str) -> IO[str]:
    """Lock the lock file and write `holder` into it, for the message of the next `make ui`."""
    try:
        file = (command.home() / "ui.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise StarschemaError(f"DAGSTER_HOME must be a writable directory: {error}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise StarschemaError(
            f"`make ui` is already running on {command.home()}: {file.read().strip()}. "
            "Open that address, or end that process first."
        ) from None
    file.truncate(0)
    print(holder, file=file, flush=True)
    return file


def _verify_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            left = (
                ". If it is left over from a killed `make ui`, end it, or two daemons will run. "
                "Otherwise choose another port"
            )
            is_taken = error.errno == errno.EADDRINUSE
            raise StarschemaError(
                f"PORT={port} can't be used: {error.strerror}{left if is_taken else ''}"
            ) from None


if __name__ == "__main__":
    command.run(main)
