"""Tests with the real classicmodels database, whose dump isn't part of this project.

STARSCHEMA_TEST_DUMP is the path of the dump. SQL on the dump gave the expected figures.
"""

import os
import uuid
from collections.abc import Iterator
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import duckdb
import pytest
from cryptography import x509
from dagster import DagsterInstance
from pydantic import SecretStr

from starschema_assets.lake.lake import open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.conftest import PASSWORD, VERSIONED
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.pipeline import Pipeline
from starschema_assets_tests.servers import server_of

DUMP = os.environ.get("STARSCHEMA_TEST_DUMP", "")
BY_COUNTRY = """
select country, count(*) as lines, sum(orderAmount) as sales
from fact_orders join dim_locations using (locationKey) group by country
"""

pytestmark = pytest.mark.skipif(not DUMP, reason="STARSCHEMA_TEST_DUMP names no dump")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[DatabaseServer]:
    """The dump in a server with unusual defaults."""
    with server_of(
        request.param,
        transaction_isolation="READ-COMMITTED",
        default_time_zone="+05:30",
        **authority.issue("here", x509.IPAddress(ip_address("127.0.0.1"))),
    ) as server:
        server.execute(Path(DUMP).read_text(encoding="utf-8"))
        server.execute(
            f"create user reader identified by '{PASSWORD}';"
            "grant select on classicmodels.* to reader"
        )
        yield server


@pytest.fixture
def locked_down(server: DatabaseServer) -> None:
    """Set strict limits, as administrators do, and clear the server's cache of passwords."""
    server.execute("""
        set global require_secure_transport = on;
        set global sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES';
        set global max_execution_time = 50;
        set global sql_select_limit = 10;
        flush privileges
    """)


@pytest.fixture
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URI of a lake of each kind."""
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://{VERSIONED}/{uuid.uuid4().hex}"
    return str(tmp_path / "lake")


@pytest.fixture
def settings(server: DatabaseServer, authority: Authority, lake: str, tmp_path: Path) -> Settings:
    """Settings for a refresh from the dump to the lake."""
    return Settings(
        source_url=SecretStr(server.url("reader", PASSWORD, "classicmodels")),
        source_tls="verify",
        source_ca=authority.file,
        lake_uri=lake,
        scratch=tmp_path / "scratch",
    )


@pytest.mark.parametrize(("server", "lake"), [("mariadb", "local"), ("mysql", "s3")], indirect=True)
def test_the_star_of_the_real_database_is_right_to_the_cent(
    settings: Settings, instance: DagsterInstance
) -> None:
    assert_right_to_the_cent(settings, instance)


@pytest.mark.usefixtures("locked_down")
@pytest.mark.parametrize(("server", "lake"), [("mysql", "local")], indirect=True)
def test_a_mysql_that_is_locked_down_gives_the_same(
    settings: Settings, instance: DagsterInstance
) -> None:
    assert_right_to_the_cent(settings, instance)


def assert_right_to_the_cent(settings: Settings, instance: DagsterInstance) -> None:
    """Refresh, and compare the files with the expected figures."""
    assert Pipeline(settings, instance).refresh().success
    lake = open_lake(settings)
    with duckdb.connect() as reader:
        for table in ("fact_orders", "dim_locations"):
            reader.read_parquet(str(lake.fetch(("star", table)))).create_view(table)
        rows = reader.execute(BY_COUNTRY).fetchall()
        countries = reader.execute("select distinct country from dim_locations").fetchall()
    lake.close()
    assert sum(lines for _, lines, _ in rows) == 2996
    sales = {country: amount for country, _, amount in rows}
    assert sum(sales.values()) == Decimal("9604190.61")
    assert (len(countries), len(sales)) == (27, 21)  # some customers have no orders
    assert sales["USA"] == Decimal("3273280.05")
    assert sales["Spain"] == Decimal("1099389.09")
    assert sales["France"] == Decimal("1007374.02")
    assert sales["Australia"] == Decimal("562582.59")
    assert sales["Norway"] == Decimal("270846.30")
