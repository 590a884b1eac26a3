"""Snapshot of the graph that Dagster loads, so that a review shows every change."""

import socket
from pathlib import Path

import pytest
from dagster import AssetKey, DefaultScheduleStatus, RepositoryDefinition
from pydantic import SecretStr

from starschema_assets.definitions import build
from starschema_assets.settings import Settings

UPSTREAM = {
    "raw/customers": set(),
    "raw/employees": set(),
    "raw/offices": set(),
    "raw/orderdetails": set(),
    "raw/orders": set(),
    "raw/payments": set(),
    "raw/productlines": set(),
    "raw/products": set(),
    "star/dim_customers": {"raw/customers"},
    "star/dim_dates": {"raw/orders"},
    "star/dim_customers_history": {"raw/customers"},
    "star/dim_products_history": {"raw/productlines", "raw/products"},
    "star/dim_locations": {
        "raw/customers"
    },  # used by dim_customers_history, which is published later
    "star/dim_products": {"raw/productlines", "raw/products"},
    "star/fact_orders": {
        "raw/orderdetails",
        "raw/orders",
        "raw/products",
        "star/dim_customers_history",
        "star/dim_products_history",
    },
    "catalog/star_schema": {
        "star/dim_customers",
        "star/dim_customers_history",
        "star/dim_dates",
        "star/dim_locations",
        "star/dim_products",
        "star/dim_products_history",
        "star/fact_orders",
    },
    "analytics/sales_report": {"catalog/star_schema"},
}

OF_RAW = {"types", "key", "not_null", "source_schema", "exact_values", "row_count", "row_loss"}
OF_RAW |= {"all_columns", "same_source"}
GROUPED = {f"raw/{table}" for table in ("customers", "employees", "offices", "orders", "products")}
OF_STAR = {"types", "key", "not_null", "one_snapshot"}
OF_HISTORY = OF_STAR | {
    "valid_for_a_day",
    "current_is_open",
    "begins_when_observed",
    "first_is_there",
    "one_version_a_day",
    "nothing_lost",
    "new_versions",
    "not_begun_anew",
}
CHECKS = {
    **dict.fromkeys((name for name in UPSTREAM if name.startswith("raw/")), OF_RAW),
    **dict.fromkeys(GROUPED, OF_RAW | {"one_spelling"}),
    "star/dim_customers": OF_STAR | {"creditLimit_not_negative", "locationKey_in_dim_locations"},
    "star/dim_customers_history": OF_HISTORY | {"locationKey_in_dim_locations"},
    "star/dim_products_history": OF_HISTORY,
    "star/dim_dates": OF_STAR | {"weekday_in_week"},
    "star/dim_locations": OF_STAR,
    "star/dim_products": OF_STAR,
    "star/fact_orders": OF_STAR
    | {
        "customerNumber_in_dim_customers",
        "productCode_in_dim_products",
        "customerNumber_customerVersion_in_dim_customers_history",
        "productCode_productVersion_in_dim_products_history",
        "same_history",
        "locationKey_in_dim_locations",
        "orderDate_in_dim_dates",
        "requiredDate_in_dim_dates",
        "shippedDate_in_dim_dates",
        "quantityOrdered_positive",
        "priceEach_not_negative",
        "orderAmount_is_product",
        "required_after_order",
        "shipped_after_order",
        "status_known",
        "matches_source",
        "newest_order",
    },
    "catalog/star_schema": {"matches_files", "no_stray_tables", "no_unnamed_tables"},
}
NOT_BLOCKING = {
    "all_columns",
    "one_spelling",
    "one_snapshot",
    "newest_order",
    "required_after_order",
    "shipped_after_order",
    "status_known",
}


@pytest.fixture
def loaded(tmp_path: Path) -> RepositoryDefinition:
    """The definitions as loaded by Dagster."""
    return _load(Settings(lake_uri=str(tmp_path / "lake")))


def test_every_asset_has_just_the_assets_that_it_is_made_of_before_it(
    loaded: RepositoryDefinition,
) -> None:
    graph = loaded.asset_graph
    assert {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    } == UPSTREAM


def test_an_asset_stands_in_the_group_of_its_stage(loaded: RepositoryDefinition) -> None:
    graph = loaded.asset_graph
    for key in graph.get_all_asset_keys():
        assert graph.get(key).group_name == key.path[0]


def test_every_asset_has_these_checks(loaded: RepositoryDefinition) -> None:
    checks: dict[str, set[str]] = {}
    for key in loaded.asset_graph.asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert checks == CHECKS


def test_the_checks_of_tables_stop_a_publication_but_for_these(
    loaded: RepositoryDefinition,
) -> None:
    graph = loaded.asset_graph
    assert {
        key.name
        for key in graph.asset_check_keys
        if key.asset_key.path[0] in {"raw", "star"} and not graph.get(key).blocking
    } == NOT_BLOCKING


def test_jobs_schedules_and_sensors_are_these(loaded: RepositoryDefinition) -> None:
    assert set(loaded.job_names) == {
        "__ASSET_JOB",  # runs of the Materialize button
        "refresh_star_schema",
        "audit_star_schema",
        "crawl_star_schema",
    }
    assert {schedule.name for schedule in loaded.schedule_defs} == {"daily_audit", "daily_refresh"}
    assert {sensor.name for sensor in loaded.sensor_defs} == {
        "crawl_after_publication",
        "report_after_crawl",
    }


def test_the_refresh_makes_raw_and_star(loaded: RepositoryDefinition) -> None:
    refreshed = loaded.get_job("refresh_star_schema").asset_layer.executable_asset_keys
    assert {key.to_user_string() for key in refreshed} == {
        name for name in UPSTREAM if name.startswith(("raw/", "star/"))
    }


def test_every_job_and_every_press_of_a_button_runs_in_one_process(
    loaded: RepositoryDefinition,
) -> None:
    assert {job.executor_def.name for job in loaded.get_all_jobs()} == {"in_process"}


def test_a_star_that_missed_its_daily_refresh_is_reported(loaded: RepositoryDefinition) -> None:
    for name in UPSTREAM:
        policy = loaded.asset_graph.get(AssetKey(name.split("/"))).freshness_policy
        assert bool(policy) == name.startswith("star/")


def test_the_schedule_is_off_until_switched_on(loaded: RepositoryDefinition) -> None:
    schedule = loaded.get_schedule_def("daily_refresh")
    assert schedule.default_status is DefaultScheduleStatus.STOPPED
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 5 * * *", "UTC")


def test_the_schedule_follows_the_settings() -> None:
    settings = Settings(schedule_hour=23, schedule_timezone="America/New_York", schedule_on=True)
    schedule = _load(settings).get_schedule_def("daily_refresh")
    assert schedule.default_status is DefaultScheduleStatus.RUNNING
    assert schedule.cron_schedule == "0 23 * * *"
    assert schedule.execution_timezone == "America/New_York"


def test_loading_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("loading the definitions used the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    settings = Settings(
        source_url=SecretStr("mysql+pymysql://reader:secret@db.invalid:3306/classicmodels"),
        lake_uri="s3://bucket/prefix",
    )
    assert _load(settings).has_job("refresh_star_schema")


def _load(settings: Settings) -> RepositoryDefinition:
    return build(settings).get_repository_def()
