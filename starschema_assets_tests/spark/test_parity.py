"""Spark and DuckDB build equal tables. polars reads the files of both."""

import json
import logging
import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from dagster import DagsterInstance
from polars.testing import assert_frame_equal
from pydantic import SecretStr
from pyspark.sql import SparkSession

from starschema_assets.contract import Contract
from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import open_lake
from starschema_assets.quality.files import Finding
from starschema_assets.settings import Settings
from starschema_assets.spark.engine import SparkEngine, SparkTables
from starschema_assets.spark.files import open_files
from starschema_assets.star.models import MODELS
from starschema_assets.star.transformation import Transformation
from starschema_assets_tests.conftest import PASSWORD
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.pipeline import RAW, Pipeline
from starschema_assets_tests.rows import RawTables

DUMP = os.environ.get("STARSCHEMA_TEST_DUMP", "")
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # of Py4J
LOG = logging.getLogger(__name__)
STAR = [model.contract for model in MODELS]
SPACES = "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"


SNAPSHOT = "20260105T040000.000000Z-1"
NEXT_DAY = "20260106T040000.000000Z-1"
NO_FIGURES = json.dumps([["", "0", "0", "0"]])


@pytest.fixture
def lake_of(tmp_path: Path) -> Callable[[RawTables], Settings]:
    """Publish raw tables without an audit in a new lake."""

    def publish(raw: RawTables, snapshot: str = SNAPSHOT) -> Settings:
        settings = Settings(lake_uri=str(tmp_path / "lake"), scratch=tmp_path / "scratch")
        lake = open_lake(settings)
        with lake.lock("test", LOG):
            for path in RAW:
                reader = raw.connection.sql(f"from {'.'.join(path)}").to_arrow_reader()
                entries = {"snapshot": snapshot, "order_figures": NO_FIGURES}
                lake.publish(lake.stage(path, reader, "test", metadata=entries))
        return settings

    return publish


def on_duckdb(settings: Settings, run: Callable[[Transformation], None]) -> None:
    lake = open_lake(settings)
    with lake.lock("duckdb", LOG):
        run(Transformation(DuckDBEngine(lake.fetch, settings), lake, settings, MODELS))


def on_spark(
    session: SparkSession, settings: Settings, run: Callable[[Transformation], None]
) -> None:
    lake = open_lake(settings)
    with open_files(lake, settings, "r", on_cluster=False) as files, lake.lock("spark", LOG):
        engine = SparkEngine(SparkTables(session), files)
        run(Transformation(engine, lake, settings, MODELS))


class Star:
    """Result of one engine: each table as read by polars, its schema, and the findings."""

    def __init__(self) -> None:
        self.tables: dict[str, pl.DataFrame] = {}
        self.schemas: dict[str, pq.ParquetSchema] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.findings: list[Finding] = []

    def make(self, star: Transformation) -> None:
        """Stage all tables, read them and audit them."""
        for staged in star.stage(MODELS, "run"):
            name = staged.table[-1]
            self.tables[name] = pl.read_parquet(staged.path)
            self.schemas[name] = pq.read_metadata(staged.path).schema
            self.metadata[name] = {k: v for k, v in staged.metadata.items() if k != "written_at"}
        self.findings = list(star.findings(MODELS))


def assert_same(session: SparkSession, settings: Settings) -> Star:
    """Build the star with both engines, assert that the results are equal, and return one."""
    ours, theirs = Star(), Star()
    on_duckdb(settings, ours.make)
    on_spark(session, settings, theirs.make)
    for name, table in ours.tables.items():
        assert theirs.tables[name].schema == table.schema
        assert_frame_equal(theirs.tables[name], table, check_exact=True)
    assert theirs.schemas == ours.schemas
    assert theirs.metadata == ours.metadata
    assert [told(f) for f in theirs.findings] == [told(f) for f in ours.findings]
    return theirs


def told(finding: Finding) -> str:
    """Return a finding as text. Examples may be other rows, so only their columns are included."""
    shown = [sorted(row) for row in finding.examples]
    return json.dumps(
        [finding.title, finding.passed, finding.message, finding.offending_rows, shown]
    )


def columns(contract: Contract, type_: str) -> list[str]:
    return [column.name for column in contract.columns if column.type.startswith(type_)]


def test_the_generated_database_makes_the_same_star(
    session: SparkSession, good_lake: Path, tmp_path: Path
) -> None:
    settings = Settings(lake_uri=str(good_lake), scratch=tmp_path)
    star = assert_same(session, settings)
    assert all(finding.passed for finding in star.findings)
    for contract in STAR:
        assert star.tables[contract.table].columns == [c.name for c in contract.columns]
        for name in columns(contract, "decimal"):
            assert star.tables[contract.table][name].dtype == pl.Decimal


@pytest.mark.skipif(not DUMP, reason="STARSCHEMA_TEST_DUMP names no dump")
def test_the_real_database_makes_the_same_star(
    session: SparkSession, instance: DagsterInstance, tmp_path: Path
) -> None:
    with MariaDB() as server:
        server.execute(Path(DUMP).read_text(encoding="utf-8"))
        server.execute(
            f"create user reader identified by '{PASSWORD}';"
            "grant select on classicmodels.* to reader"
        )
        settings = Settings(
            source_url=SecretStr(server.url("reader", PASSWORD, "classicmodels")),
            lake_uri=str(tmp_path / "lake"),
            scratch=tmp_path / "scratch",
        )
        assert Pipeline(settings, instance).refresh(*RAW).success
    star = assert_same(session, settings)
    assert all(finding.passed for finding in star.findings)
    assert star.tables["fact_orders"]["orderAmount"].sum() == Decimal("9604190.61")


def test_no_rows_make_the_same_empty_star(
    session: SparkSession, lake_of: Callable[[RawTables], Settings]
) -> None:
    star = assert_same(session, lake_of(RawTables()))
    assert {name: table.height for name, table in star.tables.items()} == {
        contract.table: 0 for contract in STAR
    }


def test_what_engines_tend_to_see_differently_makes_the_same_star(
    session: SparkSession, lake_of: Callable[[RawTables], Settings]
) -> None:
    raw = RawTables()
    places = [
        (None, "Nantes", None, "France"),
        ("", "Nantes", None, "France"),
        (None, "Nantes", "", "France"),
        ("94217", "Burlingame", "CA", "USA"),
        ("94217", "San Francisco", "CA", "USA"),
        ("94217", "San Francisco", "CA", "USA  "),
        ("-", "Köln|", "NW", "Ørland"),
        (f"{SPACES}5020", f"São Paulo{SPACES}", "\tSP\n", "Åland"),
        ("1", "\U0001f682 Zürich", "ß", "Zürich"),
        ("1", "\uffe6", "é", "Zürich"),  # after the train in UTF-16, before it in UTF-8
        ("1", "e\u0301", "é", "zürich"),
    ]
    for number, (postal_code, city, state, country) in enumerate(places):
        limit = [None, Decimal("-0.01"), Decimal("99999999.99"), Decimal("0.10")][number % 4]
        raw.add(
            "customers",
            {
                "customerNumber": number,
                "creditLimit": limit,
                "postalCode": postal_code,
                "city": city,
                "state": state,
                "country": country,
            },
        )
    names = ["Classic Cars", "İstanbul Σ", "ΟΔΟΣ", "STRASSE", "ships", "Ships"]
    raw.add("productlines", *({"productLine": line, "textDescription": line} for line in names))
    wanted = ["classic cars  ", "İSTANBUL Σ", "istanbul σ", "οδοσ", "οδος", "straße", "SHIPS"]
    for number, line in enumerate([*wanted, "Nothing"]):
        raw.add("products", {"productCode": f"S1_{number}É", "productLine": line})
    raw.add("products", {"productCode": "a"}, {"productCode": "A"}, {"productCode": "Ünique"})
    raw.add(
        "orders",
        {"orderNumber": 1, "orderDate": date(1999, 12, 31), "customerNumber": 3},
        {"orderNumber": 2, "requiredDate": date(2024, 12, 30), "customerNumber": 9},
        {"orderNumber": 3, "shippedDate": date(2027, 1, 1), "customerNumber": 404},
        {"orderNumber": 4, "comments": 'l\'été\r\n"so"\\', "customerNumber": 0},
    )
    ordered = ["s1_0é", "S1_1É  ", "ünique", "A ", "A", "S9", "s1_2É"]
    for number, code in enumerate(ordered):
        raw.add(
            "orderdetails",
            {
                "orderNumber": number % 6,
                "orderLineNumber": number,
                "productCode": code,
                "quantityOrdered": 2**31 - 1,
                "priceEach": Decimal("99999999.99"),
            },
        )
    raw.add("orderdetails", {"orderNumber": 1, "orderLineNumber": 1}, {"orderNumber": 1})
    star = assert_same(session, lake_of(raw))
    failed = {finding.title for finding in star.findings if not finding.passed}
    assert {"star/fact_orders:not_null", "star/fact_orders:key"} <= failed
    dates = star.tables["dim_dates"]
    assert dates.height == (date(2028, 1, 1) - date(1999, 1, 1)).days
    keys = star.tables["dim_locations"]["locationKey"]
    assert keys.n_unique() == keys.len() == 10


def test_a_history_goes_on_in_the_same_way(
    session: SparkSession, lake_of: Callable[..., Settings]
) -> None:
    raw = RawTables()
    raw.add("customers", *({"customerNumber": n, "city": "Nantes"} for n in (1, 2, 3)))
    raw.add("products", *({"productCode": c, "productLine": "x"} for c in ("S1", "s2", "É")))
    settings = lake_of(raw)

    lake = open_lake(settings)
    with lake.lock("first", LOG):
        star = Transformation(DuckDBEngine(lake.fetch, settings), lake, settings, MODELS)
        for staged in star.stage(MODELS, "first"):
            lake.publish(staged)
    raw.connection.execute("""
        update raw.customers set city = 'Köln' where customerNumber = 1;
        delete from raw.customers where customerNumber = 2;
        update raw.products set productCode = 'S2 ', buyPrice = 2 where productCode = 's2'""")
    raw.add("customers", {"customerNumber": 4})
    raw.add("orders", {"orderNumber": 1, "customerNumber": 1, "orderDate": date(2026, 1, 6)})
    raw.add("orderdetails", {"orderNumber": 1, "productCode": "s2"})
    made = assert_same(session, lake_of(raw, NEXT_DAY))
    versions = made.tables["dim_customers_history"].select("customerNumber", "version", "city")
    assert versions.rows() == [
        (1, 1, "Nantes"),
        (1, 2, "Köln"),
        (2, 1, "Nantes"),
        (2, 2, "Nantes"),
        (3, 1, "Nantes"),
        (4, 1, "x"),
    ]
    products = made.tables["dim_products_history"].select("productCode", "version", "buyPrice")
    assert ("S2 ", 2, Decimal("2.00")) in products.rows()
    assert made.tables["fact_orders"].select("customerVersion", "productVersion").row(0) == (2, 2)
    unfit = {finding.title for finding in made.findings if not finding.passed}
    assert not {title for title in unfit if "history" in title and "new_versions" not in title}
