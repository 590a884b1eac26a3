"""The way to the database: a tunnel of Session Manager where it is private, or the network."""

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
"""Opens a connection that ends at the database."""

DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
CONNECT_SECONDS = 15
SESSION_SECONDS = 60
"""How long a session may take to begin."""
PROGRAMS = {
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html",
}


@contextmanager
def way_to(database: Database, through: str | None) -> Iterator[Dial]:
    """Through an EC2 instance that Session Manager reaches, or directly if `through` is None.

    Dialling raises DeploymentError if nobody answers.
    """
    if through is None:
        yield lambda: _dialled(database.host, database.port, database)
        return
    for program, page in PROGRAMS.items():
        if shutil.which(program) is None:
            raise DeploymentError(
                f"{program} is missing on this machine, without which no tunnel leads to "
                f"{database.host}: {page}"
            )
    port = _free_port()
    with tempfile.TemporaryFile("w+") as log:
        session = subprocess.Popen(
            _command(database, through, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # the plugin is a child of its own, and is ended with it
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
        f"Session Manager opened no tunnel through {through}: see that the instance runs and is "
        f"online under Fleet Manager, and that you may ssm:StartSession. {shortened(log.read())}"
    )


def _dialled(host: str, port: int, database: Database, through: str | None = None) -> socket.socket:
    try:
        return socket.create_connection((host, port), CONNECT_SECONDS)
    except OSError as error:
        where = f"through {through}" if through else "from this machine"
        raise DeploymentError(
            f"{database.host}:{database.port} can't be reached {where}: {error}. It is in private "
            "subnets: go through an EC2 instance that its security group lets in, by "
            'ARGS="--through i-…", or have Terraform make the machine.'
        ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
