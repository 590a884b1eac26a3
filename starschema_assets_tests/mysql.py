"""A real MySQL server of its own for the tests."""

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
        """See `DatabaseServer`."""
        return {
            **mysql_packages.places(found()),
            "innodb_redo_log_capacity": "32M",
            "disable_log_bin": "1",
            "performance_schema": "OFF",  # takes 200 MB
            "mysqlx": "OFF",
            "secure_file_priv": "NULL",  # by default a folder that may not be there
        }

    def program(self) -> list[str]:
        """See `DatabaseServer`."""
        return list(found().server)

    def client(self) -> list[str]:
        """See `DatabaseServer`."""
        return list(found().client)

    def make_data(self, folder: Path) -> None:
        """See `DatabaseServer`."""
        shutil.copytree(DATA, folder)
