"""Runs a real database server for tests, with a temporary data directory and a free port."""

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import quote

STARTUP_SECONDS = 180


class DatabaseServer:
    """A server on 127.0.0.1 for a `with` block; `root` has no password.

    Options are passed to the server's program: `MariaDB(transaction_isolation="READ-COMMITTED")`.
        An existing `datadir` is used with its databases.
    """

    name: ClassVar[str]

    def __init__(self, **options: str | Path) -> None:
        self._home = tempfile.TemporaryDirectory(
            prefix="db"
        )  # short, because the length of a socket's path is limited
        self.home = Path(self._home.name)
        self.port = _free_port()
        self._options: dict[str, str | Path] = {
            "datadir": self.home / "data",
            "socket": self.home / "s",
            "tmpdir": self.home,  # not shared: a server deletes the others' files at its start
            "pid_file": self.home / "pid",
            "bind_address": "127.0.0.1",
            "port": str(self.port),
            "innodb_buffer_pool_size": "64M",
            "innodb_flush_log_at_trx_commit": "2",  # committed data survives a kill
            **self.defaults(),
            **options,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def defaults(self) -> dict[str, str | Path]:
        """Options of this kind of server."""
        raise NotImplementedError

    def program(self) -> list[str]:
        """The command that runs the server."""
        raise NotImplementedError

    def client(self) -> list[str]:
        """The command that runs its client."""
        raise NotImplementedError

    def make_data(self, folder: Path) -> None:
        """Initialize a new data directory."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        data = Path(self._options["datadir"])
        if not data.exists():
            self.make_data(data)
        self.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._home.cleanup()

    def start(self) -> None:
        """Start the server and wait until it responds."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.program(), "--no-defaults", *options, *as_root()], stdout=log, stderr=log
            )
        deadline = time.monotonic() + STARTUP_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.home / "log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server (SIGKILL), like a crash."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Shut the server down, so that all data is written to its data directory."""
        if self._process:
            self._process.terminate()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server was never started")
        return self._process.pid

    def restart(self) -> None:
        """Kill the server and start it again on the same port."""
        self.kill()
        self.start()

    def execute(self, sql: str, database: str = "") -> str:
        """Run a script as root, in UTF-8; return the result as tab-separated lines."""
        client = [*self._client(), "-N", "--default-character-set=utf8mb4"]
        client += [database] if database else []
        done = subprocess.run(
            client, input=sql, text=True, encoding="utf-8", capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def url(self, user: str, password: str, database: str) -> str:
        """Return the URL of a database on this server for `STARSCHEMA_SOURCE_URL`."""
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"mysql+pymysql://{credentials}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def _client(self) -> list[str]:
        return [*self.client(), "--no-defaults", "-uroot", f"--socket={self.home / 's'}"]

    def _answers(self) -> bool:
        if not (
            self.home / "s"
        ).exists():  # starting a client each time would cost more than the server
            return False
        # Not by mariadb-admin or mysqladmin ping, which may not be installed
        done = subprocess.run([*self._client(), "-eselect 1"], capture_output=True, check=False)
        return done.returncode == 0


def as_root() -> list[str]:
    """Return the option that a server needs to run as root."""
    return ["--user=root"] if os.geteuid() == 0 else []


def numbers(count: int) -> str:
    """Return SQL of a derived table whose column `seq` has the numbers from 1 to `count`."""
    digits = range(len(str(count - 1)))
    seq = " + ".join(["1", *(f"d{digit}.d * {10**digit}" for digit in digits)])
    ten = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + ")"
    tens = ", ".join(f"{ten} AS d{digit}" for digit in digits)
    return f"(SELECT {seq} AS seq FROM {tens} WHERE {seq} <= {count}) AS numbers"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
