"""Opens sockets to the database: directly, or through a Session Manager tunnel if it is private."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from starschema_assets.deployment.outputs import Database, DeploymentError, shortened

Dial = Callable[[], socket.socket]
"""A function that opens a socket to the database."""

DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
CONNECT_SECONDS = 15
SESSION_SECONDS = 60
"""Time limit for the start of a session."""
PROGRAMS = {
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html",
}


@contextmanager
def way_to(database: Database, through: str | None) -> Iterator[Dial]:
    """Yield a function that connects through the EC2 instance `through`, or directly if None.

    The function raises DeploymentError if the connection fails.
    """
    if through is None:
        yield lambda: _dialled(database.host, database.port, database)
        return
    for program, page in PROGRAMS.items():
        if shutil.which(program) is None:
            raise DeploymentError(
                f"{program} is missing on this machine. The tunnel to {database.host} needs it: "
                f"{page}"
            )
    port = _free_port()
    with tempfile.TemporaryFile("w+") as log:
        session = subprocess.Popen(
            _command(database, through, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a process group, so that the plugin is ended with the CLI
        )
        try:
            _await_listener(session, port, through, log)
            yield lambda: _dialled("127.0.0.1", port, database, through)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(session.pid, signal.SIGTERM)
            session.wait()


def _command(database: Database, through: str, port: int) -> list[str]:
    ends = {"host": database.host, "portNumber": database.port, "localPortNumber": port}
    parameters = json.dumps({name: [str(value)] for name, value in ends.items()})
    command = ["aws", "ssm", "start-session", "--region", database.region, "--target", through]
    return [*command, "--document-name", DOCUMENT, "--parameters", parameters]


def _await_listener(
    session: subprocess.Popen[bytes], port: int, through: str, log: IO[str]
) -> None:
    deadline = time.monotonic() + SESSION_SECONDS
    while session.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    log.seek(0)
    raise DeploymentError(
        f"Session Manager could not open a tunnel through {through}. Check that the instance is "
        "running and online in Fleet Manager, and that you have the permission ssm:StartSession. "
        f"{shortened(log.read())}"
    )


def _dialled(host: str, port: int, database: Database, through: str | None = None) -> socket.socket:
    try:
        return socket.create_connection((host, port), CONNECT_SECONDS)
    except OSError as error:
        where = f"through {through}" if through else "from this machine"
        raise DeploymentError(
            f"{database.host}:{database.port} can't be reached {where}: {error}. If the database "
            "is in private subnets, connect through an EC2 instance that its security group "
            "admits: see docs/deploy.md."
        ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
