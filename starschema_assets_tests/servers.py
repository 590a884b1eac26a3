"""The kinds of database server for tests of the source. As a command, prints their versions."""

import sys
from pathlib import Path

import pytest

from starschema_assets_tests import mariadb
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.mysql import MySQL
from starschema_assets_tests.mysql_packages import found

KINDS = ("mariadb", "mysql")


def server_of(kind: str, **options: str | Path) -> DatabaseServer:
    """Return a server of a kind, for a `with` block. Skips the test if there is no MySQL."""
    if kind == "mariadb":
        return MariaDB(**options)
    if not found().version:
        pytest.skip(f"No MySQL: {found().reason}")
    return MySQL(**options)


def tested_on() -> str:
    """Return the servers on which the source was tested, and why not on both."""
    if version := found().version:
        return f"The source was tested on MariaDB {mariadb.version()} and MySQL {version}."
    reason = found().reason.rstrip(".")
    return f"The source was tested on MariaDB {mariadb.version()} alone. No MySQL: {reason}."


if __name__ == "__main__":
    sys.stdout.write(f"{tested_on()}\n")
