"""Runs a real MySQL server for tests."""

import shutil
from pathlib import Path
from typing import ClassVar

from starschema_assets_tests import mysql_packages
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.mysql_packages import DATA, found


class MySQL(DatabaseServer):
    """The MySQL that `mysql_packages` found."""

    name: ClassVar = "MySQL"

    def defaults(self) -> dict[str, str | Path]:
        return {
            **mysql_packages.places(found()),
            "innodb_redo_log_capacity": "32M",
            "disable_log_bin": "1",
            "performance_schema": "OFF",  # needs 200 MB
            "mysqlx": "OFF",
            "secure_file_priv": "NULL",  # the default folder may not exist
        }

    def program(self) -> list[str]:
        return list(found().server)

    def client(self) -> list[str]:
        return list(found().client)

    def make_data(self, folder: Path) -> None:
        shutil.copytree(DATA, folder)
