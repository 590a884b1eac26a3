"""A real S3 server for the tests: SeaweedFS on free ports of this machine."""

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

# Each of these would otherwise take a fixed port, and a second test run could not start.
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
        """The access key, made from the name."""
        return f"{self.name}-key"

    @property
    def secret_key(self) -> str:
        """The secret key, made from the name."""
        return f"{self.name}-secret"

    def config(self) -> dict[str, object]:
        """The identity as the server's configuration file wants it."""
        return {
            "name": self.name,
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": list(self.actions),
        }


OWNER = Identity("owner", ("Admin", "Read", "Write", "List", "Tagging"))
READER = Identity("reader", ("Read", "List"))


@dataclass
class SeaweedFS:
    """A server with its data in one folder; it can be stopped and started again with that data."""

    folder: Path
    identities: Sequence[Identity] = (OWNER, READER)
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The S3 endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, identity: Identity = OWNER) -> dict[str, str]:
        """The AWS variables of a process that uses this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": identity.access_key,
            "AWS_SECRET_ACCESS_KEY": identity.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start and wait until it answers; the S3 port stays the same over restarts."""
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
        """End the server as `signal_` does; its data stays."""
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
                return  # it answers that nobody has signed in
            except (URLError, OSError):
                time.sleep(0.05)
            else:
                return
        log = (self.folder / "log").read_text(errors="replace")
        self.stop()
        message = f"SeaweedFS did not start on {self.url}:\n{log[-3000:]}"
        raise RuntimeError(message)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


@contextmanager
def seaweedfs(folder: Path, *others: Identity) -> Iterator[SeaweedFS]:
    """A running server that keeps its data in `folder`, and knows `others` too."""
    server = SeaweedFS(folder, (OWNER, READER, *others))
    server.start()
    try:
        yield server
    finally:
        server.stop()
