"""Sample databases: DuckDB files with several seeds, and one loaded into real servers."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from starschema_assets.sample import mysql
from starschema_assets.sample.generate import SEED, generate
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.servers import KINDS, server_of

USER = "loader"
PASSWORD = "correct horse/battery"
DATABASE = "classicmodels"


@pytest.fixture(scope="session", params=[SEED, 2, 4711])
def any_seed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of scale 1, once per seed."""
    path = tmp_path_factory.mktemp("sample") / "sample.duckdb"
    generate(path, seed=request.param)
    with duckdb.connect(path, read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def default(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default database."""
    path = tmp_path_factory.mktemp("default") / "sample.duckdb"
    generate(path)
    return path


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server without the sample, with a user that has all privileges."""
    with server_of(request.param, local_infile="1") as server:
        server.execute(
            f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
            f"GRANT ALL ON *.* TO {USER}@'127.0.0.1'; CREATE DATABASE nothing"
        )
        yield server


@pytest.fixture(scope="session")
def loaded(server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> DatabaseServer:
    """The server with the default sample in `classicmodels`, loaded in chunks of 1,000 rows."""
    server.execute(f"CREATE DATABASE {DATABASE}")
    url = sqlalchemy.make_url(server.url(USER, PASSWORD, DATABASE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mysql, "CHUNK_ROWS", 1_000)
        mysql.load(url, tmp_path_factory.mktemp("scratch"))
    return server
