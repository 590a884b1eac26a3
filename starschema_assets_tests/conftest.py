"""Fixtures with real servers. Each server is started once, and only if a test needs it."""

import gc
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import boto3
import pytest
from dagster import DagsterInstance
from pydantic import SecretStr
from sqlalchemy import make_url

from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.sample.mysql import load
from starschema_assets.settings import Settings
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.pipeline import Pipeline
from starschema_assets_tests.seaweedfs import SeaweedFS, seaweedfs
from starschema_assets_tests.servers import KINDS, server_of

VERSIONED = "versioned"
PLAIN = "plain"
PASSWORD = "s3cr3t/pass:word"


WAIT_LONG = (
    "test_ui.py",
    "test_alerts.py",
    "test_crawl.py",
    "test_report.py",
    "test_bad_data.py",
    "test_lock.py",
    "test_ten_days.py",
)
"""Files whose tests mostly wait. They start first, so that the others run meanwhile."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that wait long first."""
    items.sort(key=lambda item: item.path.name not in WAIT_LONG)


def pytest_collection_finish() -> None:
    """Run Python's garbage collector less often, and not on objects from imports.

    Dagster creates many objects: a refresh takes 1.16 s of CPU with this, and 1.35 s without.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A server with one bucket with versioning and one without."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id=server.environment()["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=server.environment()["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(Bucket=PLAIN)
        client.create_bucket(Bucket=VERSIONED)
        client.put_bucket_versioning(
            Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"}
        )
        yield server


@pytest.fixture
def s3(s3_server: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> SeaweedFS:
    """The server, with the AWS environment variables of its owner."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server


class Sales:
    """The sample in a separate database on a real server, without foreign keys.

    `reader` may only SELECT.
    """

    def __init__(self, server: DatabaseServer, database: str) -> None:
        self.server = server
        self.database = database
        self.url = server.url("reader", PASSWORD, database)

    def sql(self, statements: str) -> str:
        """Run statements as root."""
        return self.server.execute(statements, self.database)

    def mend(self) -> None:
        """Restore every table; `create table like` leaves foreign keys out."""
        tables = [contract.table for contract in CONTRACTS]
        self.sql(
            "".join(
                f"drop table if exists {table}; create table {table} like sample.{table};"
                f"insert into {table} select * from sample.{table};"
                for table in tables
            )
        )


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """A MariaDB with the sample in the database `sample`, with the default isolation level."""
    with server_of("mariadb", local_infile="1", sql_mode="") as server:
        load_sample(server, "sample", tmp_path_factory.mktemp("load"))
        yield server


@pytest.fixture(scope="session")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """A MySQL with the sample in the database `sample`."""
    with server_of("mysql", local_infile="1", sql_mode="") as server:
        load_sample(server, "sample", tmp_path_factory.mktemp("load"))
        yield server


@pytest.fixture(scope="session")
def sample_server(request: pytest.FixtureRequest) -> DatabaseServer:
    """A server with the sample: MariaDB, or each server for tests marked `on_both`."""
    server: DatabaseServer = request.getfixturevalue(getattr(request, "param", "mariadb"))
    return server


on_both = pytest.mark.parametrize("sample_server", KINDS, indirect=True)
"""Mark for tests of the source, which run on each kind of server."""


def load_sample(server: DatabaseServer, database: str, scratch: Path) -> None:
    """Load the sample into a new database with an `owner` and a `reader` that may only SELECT."""
    server.execute(f"create database {database}; create user owner identified by 'owner'")
    server.execute(f"grant all on {database}.* to owner")
    server.execute(f"create user reader identified by '{PASSWORD}'")
    server.execute(f"grant select on {database}.* to reader")
    load(make_url(server.url("owner", "owner", database)), scratch)


def copy_sample(server: DatabaseServer, database: str) -> Sales:
    """Copy the sample to a database, which is created again."""
    server.execute(
        f"drop database if exists {database}; create database {database};"
        f"grant select on {database}.* to reader"
    )
    sales = Sales(server, database)
    sales.mend()
    return sales


@pytest.fixture
def sales(sample_server: DatabaseServer) -> Sales:
    """A copy of the sample that the test may change."""
    return copy_sample(sample_server, "sales")


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """A Dagster instance in memory: a refresh takes a fifth of the time of one on disk."""
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def pipeline(sales: Sales, instance: DagsterInstance, tmp_path: Path) -> Pipeline:
    """A pipeline from the copy of the sample to a lake in a directory."""
    return Pipeline(_settings(sales.url, tmp_path), instance)


@pytest.fixture(scope="session")
def good_lake_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[DatabaseServer], Path]:
    """Function that returns the folder of a lake refreshed from `sales`, once per server."""

    @cache
    def refreshed(server: DatabaseServer) -> Path:
        sales = copy_sample(server, "sales")
        settings = _settings(sales.url, tmp_path_factory.mktemp("good_lake"))
        with DagsterInstance.ephemeral() as instance:
            assert Pipeline(settings, instance).refresh().success
        return Path(settings.lake_uri)

    return refreshed


@pytest.fixture(scope="session")
def good_lake(
    sample_server: DatabaseServer, good_lake_of: Callable[[DatabaseServer], Path]
) -> Path:
    """Folder of a lake refreshed from the sample. Copy it; don't change it."""
    return good_lake_of(sample_server)


@pytest.fixture
def refreshed(pipeline: Pipeline, good_lake: Path) -> Pipeline:
    """The pipeline after a refresh with good data."""
    shutil.copytree(good_lake, pipeline.settings.lake_uri)
    return pipeline


def _settings(source_url: str, folder: Path) -> Settings:
    return Settings(
        source_url=SecretStr(source_url),
        lake_uri=str(folder / "lake"),
        catalog=folder / "catalog.duckdb",
        scratch=folder / "scratch",
    )
