"""A real MariaDB server of its own for the tests: a temporary data directory, a free port."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

STARTUP_SECONDS = 60


class MariaDB:
    """A server on 127.0.0.1 for the time of a `with` block; `root` has no password.

    Options are those of mariadbd: `MariaDB(transaction_isolation="READ-COMMITTED")`. A `datadir`
    that exists is used with the databases it has.
    """

    def __init__(self, **options: str | Path) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="mdb")  # short: a socket's path is limited
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
            "innodb_log_file_size": "32M",
            "innodb_flush_log_at_trx_commit": "0",
            **options,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        data = Path(self._options["datadir"])
        if not data.exists():
            install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}"]
            install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
            own = {**os.environ, "TMPDIR": str(self.home)}
            subprocess.run([*install, *_as_root()], check=True, capture_output=True, env=own)
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
                [mariadbd(), "--no-defaults", *options, *_as_root()], stdout=log, stderr=log
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
        client = ["mariadb", "--no-defaults", "-uroot", f"--socket={self.home / 's'}", "-N"]
        client += ["--default-character-set=utf8mb4", database]
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

    def _answers(self) -> bool:
        # Not mariadb-admin's ping, which is in no package that the tests install
        client = ["mariadb", "--no-defaults", "-uroot", f"--socket={self.home / 's'}", "-eselect 1"]
        return subprocess.run(client, capture_output=True, check=False).returncode == 0


def mariadbd() -> str:
    """The server's program, which is not in every user's PATH."""
    return shutil.which("mariadbd") or "/usr/sbin/mariadbd"


def _as_root() -> list[str]:
    """mariadbd refuses to run as root unless it is told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
