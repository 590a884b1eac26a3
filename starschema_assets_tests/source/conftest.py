"""Servers with the most difficult defaults, and databases on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from starschema_assets.settings import Settings
from starschema_assets.source.mysql import MySQL
from starschema_assets.source.source import Source
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.servers import KINDS, server_of

# The test suite uses the same examples each time; `make fuzz` uses new ones. There is no deadline,
# because time depends on the server. Known failures are kept as @example, not in a database.
settings.register_profile(
    "suite",
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile(
    "long", settings.get_profile("suite"), max_examples=2000, derandomize=False
)
settings.load_profile("suite")

WITHOUT_TLS = {"mariadb": {"ssl": "0"}, "mysql": {"tls_version": ""}}
"""Options of a server that offers no TLS; some servers offer it by default."""
PASSWORD = "p@ss/w:r%d'\"\\ $1"


@dataclass(frozen=True)
class Shop:
    """A separate database, with a user `etl` that may only SELECT."""

    server: DatabaseServer
    name: str
    scratch: Path

    def sql(self, script: str) -> str:
        """Run a script in the database as root."""
        return self.server.execute(script, self.name)

    def source(self, **settings: Any) -> Source:
        """Return the database as a source with the user `etl`."""
        url = self.server.url("etl", PASSWORD, self.name)
        defaults = Settings(source_url=SecretStr(url), scratch=self.scratch)
        return Source(defaults.model_copy(update=settings))

    def read(self, table: str, **settings: Any) -> pa.Table:
        """Read all rows of a table through the source."""
        source = self.source(**settings)
        declared = source.declared([table])[table]
        with source.snapshot() as snapshot:
            return snapshot.read(declared).read_all()


def create_shop(server: DatabaseServer, scratch: Path) -> Shop:
    """Create an empty database, and the user `etl` again."""
    name = "shop"
    password = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
    server.execute(
        f"""
        DROP DATABASE IF EXISTS {name};
        CREATE DATABASE {name} CHARACTER SET latin1;
        DROP USER IF EXISTS etl;
        CREATE USER etl IDENTIFIED BY '{password}';
        GRANT SELECT ON {name}.* TO etl;
        """
    )
    return Shop(server, name, scratch)


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    with server_of(
        request.param,
        transaction_isolation="READ-COMMITTED",
        default_time_zone="+05:30",
        character_set_server="latin1",
        sql_mode="ALLOW_INVALID_DATES",
        **WITHOUT_TLS[request.param],
    ) as server:
        yield server


on_mariadb = pytest.mark.parametrize("server", ["mariadb"], indirect=True)
on_mysql = pytest.mark.parametrize("server", ["mysql"], indirect=True)


@pytest.fixture
def extension_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let DuckDB's extension open a snapshot without PyMySQL."""
    monkeypatch.setattr(MySQL, "_declares", lambda *_: [])


@pytest.fixture
def shop(server: DatabaseServer, tmp_path: Path) -> Shop:
    return create_shop(server, tmp_path)


@pytest.fixture(params=KINDS)
def own_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop on a separate server, which the test may kill."""
    with server_of(request.param) as server:
        yield create_shop(server, tmp_path)
