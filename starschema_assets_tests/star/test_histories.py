"""The star over several days: versions in histories and in the fact, and rejected histories."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from starschema_assets.contract import Contract
from starschema_assets.quality.audit import Tables
from starschema_assets.quality.files import Finding
from starschema_assets.quality.history import nothing_lost
from starschema_assets.star import transformation
from starschema_assets.star.continuation import HistoryRefused
from starschema_assets_tests.star.days import LOG, Days

CUSTOMERS = "star/dim_customers_history"


@pytest.fixture
def days(tmp_path: Path) -> Days:
    """An empty lake."""
    return Days(tmp_path)


FIRST = date(1, 1, 1)


def test_an_order_has_the_city_and_the_prices_of_its_day(days: Days) -> None:
    for number, day in enumerate((date(2020, 1, 1), date(2026, 1, 6), date(2030, 1, 1))):
        days.order(number, 1, day)
    days.refresh("2026-01-05")
    assert days.ask("select distinct customerVersion, productVersion from fact_orders") == [(1, 1)]
    days.sql("update raw.customers set city = 'Paris' where customerNumber = 1")
    days.sql("update raw.products set buyPrice = 12")
    days.refresh("2026-01-06")
    days.sql("update raw.customers set city = 'Brest' where customerNumber = 1")
    days.refresh("2026-01-08")
    as_it_was = """
        select orderNumber, city, buyPrice, customerVersion, productVersion
        from fact_orders join dim_locations using (locationKey) order by orderNumber"""
    assert days.ask(as_it_was) == [
        (0, "Nantes", 10, 1, 1),
        (1, "Paris", 12, 2, 2),
        (2, "Brest", 12, 3, 2),
    ]
    as_it_is = """
        select distinct city, buyPrice from dim_customers
        join dim_locations using (locationKey), dim_products where customerNumber = 1"""
    assert days.ask(as_it_is) == [("Brest", 12)]
    assert {city for (city,) in days.ask("select city from dim_locations")} == {
        "Nantes",
        "Paris",
        "Brest",
        "Lyon",
    }


def test_the_last_day_of_the_calendar_has_the_current_version(days: Days) -> None:
    days.order(1, 2, date(9999, 12, 31))
    days.extract("2026-01-05")
    days.sql("update raw.customers set city = 'Paris' where customerNumber = 2")
    days.transform()
    days.extract("2026-01-06")
    days.transform()
    assert not days.findings[
        "star/fact_orders:customerNumber_customerVersion_in_dim_customers_history"
    ].blocks


def test_a_late_order_has_the_city_of_before_the_move(days: Days) -> None:
    days.refresh("2026-01-05")
    days.sql("update raw.customers set city = 'Paris' where customerNumber = 1")
    days.refresh("2026-01-06")
    days.order(1, 1, date(2026, 1, 5))
    days.sql(
        "insert into raw.customers select * replace (3 as customerNumber) from raw.customers"
        " where customerNumber = 1"
    )
    days.order(2, 3, date(2025, 1, 1))
    days.refresh("2026-01-07")
    query = (
        "select city from fact_orders join dim_locations using (locationKey) order by orderNumber"
    )
    assert days.ask(query) == [("Nantes",), ("Paris",)]


def test_a_day_is_that_of_the_snapshot_in_the_time_zone_of_the_setting(days: Days) -> None:
    days.settings = days.settings.model_copy(update={"history_timezone": "Asia/Tokyo"})
    days.refresh("2026-01-05T16:00:00")
    assert days.ask("select distinct observedOn from dim_customers_history") == [
        (date(2026, 1, 6),)
    ]


def test_a_second_refresh_of_a_day_undoes_what_was_undone(days: Days) -> None:
    days.refresh("2026-01-05")
    before = days.ask("from dim_customers_history")
    days.sql("update raw.customers set city = 'Paris' where customerNumber = 1")
    days.refresh("2026-01-06T04:00:00")
    assert len(days.cities()) == 3
    days.sql("update raw.customers set city = 'Nantes' where customerNumber = 1")
    days.refresh("2026-01-06T05:00:00")
    assert days.ask("from dim_customers_history") == before
    footer = days.lake.footer(("star", "fact_orders"))
    digest = days.lake.footer(("star", "dim_customers_history")).metadata["digest"]
    assert json.loads(footer.metadata["histories"])["dim_customers_history"] == digest


def test_too_many_new_versions_block_until_they_are_accepted(days: Days) -> None:
    days.refresh("2026-01-05")
    days.settings = days.settings.model_copy(update={"max_new_versions": 0.4})
    days.sql("update raw.customers set city = 'Paris' where customerNumber = 1")
    days.extract("2026-01-06")
    title = f"{CUSTOMERS}:new_versions"
    assert days.transform() == {
        title: "1 of 2 rows got a new version on 2026-01-06: 50.0%, 40.0% allowed"
    }
    assert len(days.cities()) == 2
    assert days.transform(accepted=[title]) == {}
    assert len(days.cities()) == 3


def test_an_older_snapshot_is_refused(days: Days) -> None:
    days.refresh("2026-01-05T04:00:00")
    days.extract("2026-01-05T03:00:00", "products")
    with pytest.raises(HistoryRefused, match=r"raw/products is of snapshot 20260105T030000.*later"):
        days.transform()


def test_a_day_before_that_of_the_history_is_refused(days: Days) -> None:
    days.settings = days.settings.model_copy(update={"history_timezone": "Asia/Tokyo"})
    days.refresh("2026-01-05T16:00:00")
    days.settings = days.settings.model_copy(update={"history_timezone": "UTC"})
    days.extract("2026-01-05T17:00:00")
    with pytest.raises(HistoryRefused, match=r"is of 2026-01-05.*of the later day 2026-01-06"):
        days.transform()


def test_a_fact_made_alone_with_an_older_history_is_refused(days: Days) -> None:
    days.refresh("2026-01-05")
    assert days.transform("fact_orders", "dim_locations") == {}
    days.extract("2026-01-06", "customers")
    with pytest.raises(HistoryRefused, match=r"would be built from star/dim_customers_history"):
        days.transform("fact_orders")


def _file(days: Days) -> Path:
    return days.lake.fetch(("star", "dim_customers_history"))


def _edit(days: Days, query: str, *, digest: bool = False) -> None:
    """Rewrite the rows of the history's file and keep its metadata, as a user might."""
    footer = days.lake.footer(("star", "dim_customers_history"))
    with duckdb.connect() as connection:
        rows = connection.sql(query.format(f"'{_file(days)}'")).to_arrow_reader()
        with days.lake.lock("test", LOG):
            staged = days.lake.stage(
                ("star", "dim_customers_history"),
                rows,
                "test",
                metadata=footer.metadata,
                digest=digest,
            )
            days.lake.publish(staged)


def test_a_history_that_someone_edited_is_refused(days: Days) -> None:
    days.refresh("2026-01-05")
    _edit(days, "select * replace ('Rom' as city) from {}")
    days.extract("2026-01-06")
    with pytest.raises(HistoryRefused, match="that were published, so the file was changed"):
        days.transform()


def test_a_column_that_was_added_is_compared_from_the_next_day_on(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def lost(tables: Tables, contract: Contract, day: date, stored: set[str], rows: int) -> Finding:
        if contract.name == CUSTOMERS:
            compared.append("creditLimit" in stored)
        return nothing_lost(tables, contract, day, stored, rows)

    monkeypatch.setattr(transformation, "nothing_lost", lost)
    days.refresh("2026-01-05")
    _edit(days, "select * exclude (creditLimit) from {}", digest=True)
    days.refresh("2026-01-06")
    days.refresh("2026-01-06T12:00:00")
    days.refresh("2026-01-07")
    assert compared == [False, False, True]


@pytest.mark.parametrize("source", ["other", "moved"])
def test_a_history_of_another_source_is_refused_unless_that_was_accepted(
    days: Days, source: str
) -> None:
    days.refresh("2026-01-05")
    days.source = source
    days.extract("2026-01-06")
    with pytest.raises(HistoryRefused, match=rf"comes from shop, but .* come from {source}:"):
        days.transform()
    days.former_sources = ["shop"]
    days.refresh("2026-01-07")


@pytest.mark.parametrize(
    ("lose", "reason"),
    [
        (lambda file: file.unlink(), "star/fact_orders has customerVersion, but .* is missing"),
        (lambda file: file.write_bytes(b"no Parquet"), "is not a complete Parquet file"),
    ],
)
def test_a_lost_history_begins_anew_only_when_told(
    days: Days, lose: Callable[[Path], None], reason: str
) -> None:
    days.refresh("2026-01-05")
    lose(_file(days))
    days.extract("2026-01-06")
    title = f"{CUSTOMERS}:not_begun_anew"
    blocked = days.transform()
    assert blocked.keys() == {title}
    assert re.search(reason, blocked[title])
    assert days.transform(accepted=[title]) == {}
    assert days.cities() == [(1, 1, "Nantes", FIRST), (2, 1, "Lyon", FIRST)]


def test_a_lake_from_before_there_were_histories_needs_no_word(days: Days) -> None:
    days.refresh("2026-01-05")
    for table in ("dim_customers_history", "dim_products_history"):
        days.lake.fetch(("star", table)).unlink()
    fact = days.lake.fetch(("star", "fact_orders"))
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * exclude (customerVersion, productVersion) from '{fact}') to '{fact}'"
        )
    days.refresh("2026-01-06")
