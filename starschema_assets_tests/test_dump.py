"""The real classicmodels database, whose dump is not part of this project.

STARSCHEMA_TEST_DUMP names its file. The figures are those of the dump, as SQL on it gives them.
"""

import os
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance
from pydantic import SecretStr

from starschema_assets.lake.open import open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import PASSWORD, VERSIONED
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.pipeline import Pipeline

DUMP = os.environ.get("STARSCHEMA_TEST_DUMP", "")
BY_COUNTRY = """
select country, count(*) as lines, sum(orderAmount) as sales
from fact_orders join dim_locations using (locationKey) group by country
"""

pytestmark = pytest.mark.skipif(not DUMP, reason="STARSCHEMA_TEST_DUMP names no dump")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The dump in a server whose defaults are not ours."""
    with MariaDB(transaction_isolation="READ-COMMITTED", default_time_zone="+05:30") as server:
        server.execute(Path(DUMP).read_text(encoding="utf-8"))
        server.execute(
            f"create user reader identified by '{PASSWORD}';"
            "grant select on classicmodels.* to reader"
        )
        yield server.url("reader", PASSWORD, "classicmodels")


@pytest.fixture(params=["local", "s3"])
def settings(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Settings:
    """From the dump to each kind of lake."""
    lake = str(tmp_path / "lake")
    if request.param == "s3":
        request.getfixturevalue("s3")
        lake = f"s3://{VERSIONED}/{uuid.uuid4().hex}"
    return Settings(source_url=SecretStr(url), lake_uri=lake, scratch=tmp_path / "scratch")


def test_the_star_of_the_real_database_is_right_to_the_cent(
    settings: Settings, instance: DagsterInstance
) -> None:
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
    assert (len(countries), len(sales)) == (27, 21)  # some customers have ordered nothing
    assert sales["USA"] == Decimal("3273280.05")
    assert sales["Spain"] == Decimal("1099389.09")
    assert sales["France"] == Decimal("1007374.02")
    assert sales["Australia"] == Decimal("562582.59")
    assert sales["Norway"] == Decimal("270846.30")
