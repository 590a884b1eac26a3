"""Runs a real S3 server for tests: SeaweedFS on free ports of this machine."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

# By default each of these uses a fixed port, and a second test run couldn't start.
PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
)
START_TIMEOUT = 60


@dataclass(frozen=True)
class Identity:
    """A user of the server; `actions` are SeaweedFS's own: Admin, Read, Write, List, Tagging."""

    name: str
    actions: tuple[str, ...]

    @property
    def access_key(self) -> str:
        """The access key, derived from the name."""
        return f"{self.name}-key"

    @property
    def secret_key(self) -> str:
        """The secret key, derived from the name."""
        return f"{self.name}-secret"

    def config(self) -> dict[str, object]:
        """Return the identity for the server's configuration file."""
        return {
            "name": self.name,
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": list(self.actions),
        }


OWNER = Identity("owner", ("Admin", "Read", "Write", "List", "Tagging"))
READER = Identity("reader", ("Read", "List"))


@dataclass
class SeaweedFS:
    """A server with its data in one folder. It can be stopped and restarted with this data."""

    folder: Path
    identities: Sequence[Identity] = (OWNER, READER)
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The S3 endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, identity: Identity = OWNER) -> dict[str, str]:
        """Return AWS environment variables for a process that uses this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": identity.access_key,
            "AWS_SECRET_ACCESS_KEY": identity.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start the server and wait until it responds. Restarts use the same S3 port."""
        config = self.folder / "identities.json"
        config.write_text(json.dumps({"identities": [who.config() for who in self.identities]}))
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.port = ports["s3.port"] = self.port or ports["s3.port"]
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        command = [
            str(Path(sys.executable).parent / "weed"),
            f"-logdir={self.folder}",
            "mini",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={config}",
            *(f"-{flag}={port}" for flag, port in ports.items()),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        self._await_answer()

    def stop(self, signal_: signal.Signals = signal.SIGKILL) -> None:
        """Stop the server with `signal_`; its data is kept."""
        if self.process:
            self.process.send_signal(signal_)
            self.process.wait()
            self.process = None

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            assert self.process
            if self.process.poll() is not None:
                break
            try:
                urlopen(self.url, timeout=1)
            except HTTPError:
                return  # it responds that authentication is missing
            except (URLError, OSError):
                time.sleep(0.05)
            else:
                return
        log = (self.folder / "log").read_text(errors="replace")
        self.stop()
        message = f"SeaweedFS did not start on {self.url}:\n{log[-3000:]}"
        raise RuntimeError(message)


def free_ports(count: int) -> list[int]:
    """Return ports that aren't in use."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


@contextmanager
def seaweedfs(folder: Path, *others: Identity) -> Iterator[SeaweedFS]:
    """Yield a running server with its data in `folder`, and with `others` as additional users."""
    server = SeaweedFS(folder, (OWNER, READER, *others))
    server.start()
    try:
        yield server
    finally:
        server.stop()
