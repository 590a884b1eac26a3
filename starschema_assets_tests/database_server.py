"""A real database server of its own for the tests: a temporary data directory, a free port."""

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
    """A server on 127.0.0.1 for the time of a `with` block; `root` has no password.

    Options are those of the server's program: `MariaDB(transaction_isolation="READ-COMMITTED")`.
    A `datadir` that exists is used with the databases it has.
    """

    name: ClassVar[str]

    def __init__(self, **options: str | Path) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="db")  # short: a socket's path is limited
        self.home = Path(self._home.name)
        self.port = _free_port()
        self._options: dict[str, str | Path] = {
            "datadir": self.home / "data",
            "socket": self.home / "s",
            "tmpdir": self.home,  # a server that starts deletes what others have in a shared one
            "pid_file": self.home / "pid",
            "bind_address": "127.0.0.1",
            "port": str(self.port),
            "innodb_buffer_pool_size": "64M",
            "innodb_flush_log_at_trx_commit": "2",  # what is committed outlives a kill
            **self.defaults(),
            **options,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def defaults(self) -> dict[str, str | Path]:
        """Options that only this kind of server has or needs."""
        raise NotImplementedError

    def program(self) -> list[str]:
        """The command that runs the server."""
        raise NotImplementedError

    def client(self) -> list[str]:
        """The command that runs its client."""
        raise NotImplementedError

    def make_data(self, folder: Path) -> None:
        """Fill a new data directory."""
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
        """Start the server and wait until it answers."""
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
        """End the server at once, as a crash does (SIGKILL)."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the server in order, with all that it holds written to its data directory."""
        if self._process:
            self._process.terminate()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The process id of the server that runs."""
        if self._process is None:
            raise RuntimeError("the server was never started")
        return self._process.pid

    def restart(self) -> None:
        """End the server at once and start it again on the same port."""
        self.kill()
        self.start()

    def execute(self, sql: str, database: str = "") -> str:
        """Run a script as root, in UTF-8; what it selects comes back as tab-separated lines."""
        client = [*self._client(), "-N", "--default-character-set=utf8mb4"]
        client += [database] if database else []
        done = subprocess.run(
            client, input=sql, text=True, encoding="utf-8", capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def url(self, user: str, password: str, database: str) -> str:
        """The SQLAlchemy URL of a database on this server, as `STARSCHEMA_SOURCE_URL` takes it."""
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"mysql+pymysql://{credentials}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def _client(self) -> list[str]:
        return [*self.client(), "--no-defaults", "-uroot", f"--socket={self.home / 's'}"]

    def _answers(self) -> bool:
        if not (self.home / "s").exists():  # a client each time would cost more than the server
            return False
        # Not the ping of mariadb-admin or mysqladmin, which no package of the tests needs to have
        done = subprocess.run([*self._client(), "-eselect 1"], capture_output=True, check=False)
        return done.returncode == 0


def as_root() -> list[str]:
    """The option without which a server refuses to run as root."""
    return ["--user=root"] if os.geteuid() == 0 else []


def numbers(count: int) -> str:
    """A derived table, on any server, whose column `seq` has the numbers from 1 to `count`."""
    digits = range(len(str(count - 1)))
    seq = " + ".join(["1", *(f"d{digit}.d * {10**digit}" for digit in digits)])
    ten = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + ")"
    tens = ", ".join(f"{ten} AS d{digit}" for digit in digits)
    return f"(SELECT {seq} AS seq FROM {tens} WHERE {seq} <= {count}) AS numbers"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
