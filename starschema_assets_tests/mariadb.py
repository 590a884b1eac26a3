"""Runs a real MariaDB server for tests."""

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import ClassVar

from starschema_assets_tests.database_server import DatabaseServer, as_root


class MariaDB(DatabaseServer):
    """The MariaDB that is installed on this machine."""

    name: ClassVar = "MariaDB"

    def defaults(self) -> dict[str, str | Path]:
        return {"innodb_log_file_size": "32M"}

    def program(self) -> list[str]:
        return [mariadbd()]

    def client(self) -> list[str]:
        return ["mariadb"]

    def make_data(self, folder: Path) -> None:
        shutil.copytree(_template(), folder)


@cache
def _template() -> Path:
    """Return an initialized data directory to copy; creating one takes a second of CPU."""
    home = Path(tempfile.mkdtemp(prefix="mariadb"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={home / 'data'}"]
    install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    install += ["--innodb-log-file-size=8M"]
    own = {**os.environ, "TMPDIR": str(home)}
    subprocess.run([*install, *as_root()], check=True, capture_output=True, env=own)
    return home / "data"


def mariadbd() -> str:
    """Return the server's program, which isn't in every user's PATH."""
    return shutil.which("mariadbd") or "/usr/sbin/mariadbd"


def version() -> str:
    """Return the version of the server, e.g. `10.11.19`."""
    said = subprocess.run([mariadbd(), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"Ver ([\d.]+)", said.stdout)
    assert found, said.stdout
    return found[1]
