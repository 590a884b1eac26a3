"""Tests with another business instead of the sample: the generic code works for both."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from starschema_assets_tests.conftest import PASSWORD
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.other_business import BUSINESS, copy_with_other_business
from starschema_assets_tests.project_copy import refresh_on, run_in
from starschema_assets_tests.servers import KINDS, server_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a bike rental instead of classic cars."""
    folder = tmp_path_factory.mktemp("other") / "project"
    copy_with_other_business(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server with the other business, and a user that may only read."""
    with server_of(request.param) as server:
        server.execute(
            "create database hire character set utf8mb4;"
            f"create user reader identified by '{PASSWORD}'; grant select on hire.* to reader"
        )
        server.execute((BUSINESS / "schema.sql").read_text(encoding="utf-8"), "hire")
        yield server


def test_a_server_becomes_a_star_with_a_history_catalog_and_answers(
    server: DatabaseServer, project: Path, tmp_path: Path
) -> None:
    shutil.copytree(project / ".dagster", tmp_path / "dagster")
    settings = {
        "DAGSTER_HOME": str(tmp_path / "dagster"),
        "STARSCHEMA_SOURCE_URL": server.url("reader", PASSWORD, "hire"),
        "STARSCHEMA_LAKE_URI": str(tmp_path / "lake"),
        "STARSCHEMA_CATALOG": str(tmp_path / "catalog.duckdb"),
    }
    run_in(project, refresh_on(date(2026, 1, 5)), **settings)
    taken = figures(server, "sum(hired_hours * hourly_price)")
    assert ask(tmp_path, "select sum(takings)::varchar from fact_hires") == taken

    server.execute((BUSINESS / "next_day.sql").read_text(encoding="utf-8"), "hire")
    done = run_in(project, refresh_on(date(2026, 1, 6)), **settings)
    assert "WARNING" not in done.stderr
    assert ask(
        tmp_path,
        "select maker, frame_no, version, hourly_price::varchar, validFrom::varchar "
        "from dim_bikes_history where version > 1 or frame_no = 1 order by all",
    ) == [
        ("Gazelle", 1, 1, "2.50", "0001-01-01"),
        ("Gazelle", 1, 2, "3.10", "2026-01-06"),
        ("Simplon", 1, 1, "4.75", "0001-01-01"),
    ]
    new = figures(server, "sum(hired_hours * hourly_price)", "hired_on = '2026-01-06'")
    assert ask(
        tmp_path,
        "select sum(takings) filter (hired_on < '2026-01-06')::varchar,"
        "sum(takings) filter (hired_on = '2026-01-06')::varchar from fact_hires",
    ) == [(*taken[0], *new[0])]
    sums = "station_code, count(*), sum(hired_hours), sum(kilometres)"
    by_station = figures(server, f"{sums}", then="group by station_code order by station_code")
    assert (
        ask(
            tmp_path,
            f"select columns(*)::varchar from (select {sums} from fact_hires group by all) "
            "order by 1",
        )
        == by_station
    )

    asked = run_in(project, "make query SQL=hours_by_station", **settings)
    hours = server.execute(
        "select sum(hired_hours) from hires join stations using (station_code) "
        "where station_name = 'Main station'",
        "hire",
    ).strip()
    (answer,) = [line for line in asked.stdout.splitlines() if "Main station" in line]
    assert hours in answer


def figures(
    server: DatabaseServer, what: str, where: str = "true", then: str = ""
) -> list[tuple[Any, ...]]:
    """Return the expected figures, computed by the server."""
    said = server.execute(
        f"select {what} from hires join bikes using (maker, frame_no) where {where} {then}", "hire"
    )
    return [tuple(line.split("\t")) for line in said.splitlines()]


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query the published files."""
    with duckdb.connect() as connection:
        for file in (folder / "lake" / "star").glob("*/*.parquet"):
            connection.execute(f"create view {file.stem} as from '{file}'")
        return connection.execute(sql).fetchall()
