"""The audit compares a history with the published one and finds lost versions of all kinds."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from starschema_assets.engine import DuckDBTables
from starschema_assets.history import history_contract
from starschema_assets.quality.files import Finding
from starschema_assets.quality.history import nothing_lost, one_version_a_day
from starschema_assets.versions import first_sql, next_sql, tracked_names
from starschema_assets_tests.test_history import things

HISTORY = history_contract(things(text_key=False))
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def tables() -> Iterator[DuckDBTables]:
    """Monday's history, which is published, and Tuesday's, in which one thing has a new price."""
    with duckdb.connect() as connection:
        connection.execute("create schema star; create schema previous")
        step = (
            "create or replace table star.tracked_things as "
            "from (values {}) as things(code, colour, price)"
        )
        connection.execute(step.format("(1, 'red', 10), (2, null, 20)"))
        first = first_sql(HISTORY, f"date '{MONDAY}'")
        connection.execute(f"create table previous.things_history as {first}")
        connection.execute(step.format("(1, 'red', 11), (2, null, 20), (3, 'blue', 30)"))
        names = [column.name for column in HISTORY.columns]
        second = next_sql(HISTORY, TUESDAY, stored=names)
        connection.execute(f"create table star.things_history as {second}")
        yield DuckDBTables(connection)


def lost(tables: DuckDBTables) -> Finding:
    return nothing_lost(tables, HISTORY, TUESDAY, tracked_names(HISTORY), rows=2)


def test_a_day_that_opens_versions_loses_none(tables: DuckDBTables) -> None:
    assert lost(tables).passed
    assert one_version_a_day(tables, HISTORY).passed


@pytest.mark.parametrize(
    "damage",
    [
        "delete from star.things_history where code = 2",
        "update star.things_history set price = 9 where code = 1 and version = 1",
        "update star.things_history set colour = '' where code = 2",
        "update star.things_history set validFrom = date '2026-01-01' where code = 2",
        "update star.things_history set isDeleted = true where code = 2",
        "update star.things_history set observedOn = date '2026-01-04' where code = 2",
        "update star.things_history set validTo = date '2026-01-02' where code = 1 and version = 1",
        "update star.things_history set version = 2 where code = 2",
    ],
)
def test_a_version_that_is_gone_or_altered_blocks_and_cannot_be_accepted(
    tables: DuckDBTables, damage: str
) -> None:
    tables.connection.execute(damage)
    finding = lost(tables)
    assert finding.blocks
    assert finding.final


def test_a_version_that_claims_to_be_older_blocks(tables: DuckDBTables) -> None:
    tables.connection.execute(
        f"update star.things_history set observedOn = date '{MONDAY}' where code = 3"
    )
    assert lost(tables).message == f"1 versions were added with a date before {TUESDAY}"
