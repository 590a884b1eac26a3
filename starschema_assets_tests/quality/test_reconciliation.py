"""Reconciliation with the source's sums, for another business than the project's."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest

from starschema_assets.checks import checks_of
from starschema_assets.contract import Column, Contract, ForeignKey, Reconciliation, Sum
from starschema_assets.engine import DuckDBTables, quoted
from starschema_assets.quality.files import Finding
from starschema_assets.quality.reconciliation import ask_source, matches_source

RENTALS = Reconciliation(
    table="rental",
    sums=(
        Sum("count(*)", "count(*)", "bigint", "rentals"),
        Sum("sum(hours * rate)", "sum(fee)", "decimal(38,3)", "EUR"),
    ),
    group="city",
    group_name="city",
    group_table="shop",
    group_key="shop_id",
)
FACT = Contract(
    stage="star",
    table="fact_rental",
    grain="one row per rental",
    description="",
    key=("rental_id",),
    columns=(Column("rental_id", "int", ""),),
    foreign_keys=(ForeignKey(("shop_id",), "dim_shop"),),
    reconciliation=RENTALS,
)


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    """Shops in two cities, one without a city, and a rental of a shop that doesn't exist."""
    connection = duckdb.connect()
    connection.execute("""
        create table shop as from (values (1, 'Lyon'), (2, 'Oslo'), (3, 'Lyon'), (4, null))
            as shop(shop_id, city);
        create table rental as from (values (1, 1, 1.5, 2.25), (2, 3, 2, 0.105), (3, 2, 1, 9),
            (4, 4, 1, 1), (5, 9, 1, 0.5)) as rental(rental_id, shop_id, hours, rate);
        create schema star;
        create table star.fact_rental as
            select rental_id, city, cast(hours * rate as decimal(18,3)) as fee
            from rental left join shop using (shop_id);
    """)
    return connection


def entries(database: duckdb.DuckDBPyConnection, declared: Reconciliation) -> dict[str, str]:
    """Return the metadata entries that the extraction writes."""
    _, sums = ask_source(lambda sql: database.execute(sql).fetchall(), quoted, declared)
    return {declared.entry: json.dumps(sums)}


def found(
    database: duckdb.DuckDBPyConnection, contract: Contract, recorded: Mapping[str, str]
) -> Finding:
    (finding,) = matches_source(DuckDBTables(database), contract, recorded)
    return finding


def test_groups_agree_in_units_of_their_own_whatever_the_keys_and_without_a_group(
    database: duckdb.DuckDBPyConnection,
) -> None:
    finding = found(database, FACT, entries(database, RENTALS))
    assert finding.passed
    assert finding.message == (
        "no city: 2 rentals, 1.500 EUR; Lyon: 2 rentals, 3.585 EUR; Oslo: 1 rentals, 9.000 EUR"
    )


CITY_BY_CITY = """
    update shop set city = 'Oslo' where shop_id = 3;
    update shop set city = 'Rome' where shop_id = 4;
    delete from rental where shop_id = 9; delete from star.fact_rental where rental_id = 5;
    update star.fact_rental set city = 'Oslo' where rental_id = 2;
    update star.fact_rental set city = 'Rome' where rental_id = 4
"""
"""Moves shops to other cities, so that each city has a separate range of shop numbers."""


def test_ranges_of_keys_give_the_same_sums(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(CITY_BY_CITY)
    asked: list[str] = []

    def ask(sql: str) -> list[tuple[object, ...]]:
        asked.append(sql)
        return database.execute(sql).fetchall()

    rows, by_range = ask_source(ask, quoted, RENTALS)
    assert rows == 4
    assert [sql for sql in asked if " between " in sql]
    # The ranges of two cities now overlap
    database.execute("insert into shop values (5, 'Lyon')")
    rows, by_row = ask_source(ask, quoted, RENTALS)
    assert rows is None
    assert [[g, n, Decimal(s)] for g, n, s in by_range] == sorted(
        [g, n, Decimal(s)] for g, n, s in by_row
    )


@pytest.mark.parametrize("shop_id", ["0", "3", "9", "null"])
def test_rows_outside_the_ranges_are_summed_up_as_well(
    database: duckdb.DuckDBPyConnection, shop_id: str
) -> None:
    database.execute(CITY_BY_CITY)
    database.execute("update shop set shop_id = shop_id * 2")  # Lyon 2, Oslo 4 and 6, Rome 8
    database.execute("update rental set shop_id = shop_id * 2")
    database.execute(f"insert into rental values (6, {shop_id}, 1, 7)")
    rows, sums = ask_source(lambda sql: database.execute(sql).fetchall(), quoted, RENTALS)
    assert rows is None
    assert sum(int(count) for _, count, _ in sums) == 5


def test_keys_of_text_are_not_asked_for_by_range(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(CITY_BY_CITY)
    for table in ("shop", "rental"):
        database.execute(f"alter table {table} alter shop_id type varchar using 'N' || shop_id")
    assert found(database, FACT, entries(database, RENTALS)).passed


def test_no_group_and_an_empty_one_are_one(database: duckdb.DuckDBPyConnection) -> None:
    for table in ("shop", "star.fact_rental"):
        database.execute(f"update {table} set city = '' where city = 'Oslo'")
    finding = found(database, FACT, entries(database, RENTALS))
    assert finding.passed
    assert finding.message.startswith("no city: 3 rentals, 10.500 EUR; Lyon")


def test_a_group_without_a_value_adds_up_to_nothing(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("""
        update rental set rate = null where shop_id = 2;
        update star.fact_rental set fee = null where city = 'Oslo'
    """)
    finding = found(database, FACT, entries(database, RENTALS))
    assert finding.passed
    assert "Oslo: 1 rentals, 0.000 EUR" in finding.message


def test_a_thousandth_too_much_is_a_difference(database: duckdb.DuckDBPyConnection) -> None:
    recorded = entries(database, RENTALS)
    database.execute("update star.fact_rental set fee = fee + 0.001 where rental_id = 3")
    finding = found(database, FACT, recorded)
    assert not finding.passed
    assert finding.blocks
    assert finding.message == (
        "Oslo: 1 rentals, 9.001 EUR in the table, 1 rentals, 9.0000 EUR at the source"
    )


def test_a_column_of_the_table_itself_may_group(database: duckdb.DuckDBPyConnection) -> None:
    own = replace(RENTALS, group="rental_id % 2", group_table=None, group_key=None)
    assert found(database, replace(FACT, reconciliation=own), entries(database, own)).passed


def test_a_fact_without_sums_is_a_warning_and_a_dimension_has_no_such_check(
    database: duckdb.DuckDBPyConnection,
) -> None:
    without = replace(FACT, reconciliation=None)
    finding = found(database, without, {})
    assert (finding.passed, finding.blocks) == (False, False)
    dimension = replace(without, foreign_keys=())
    assert "matches_source" not in {check.name for check in checks_of(dimension)}
    assert list(matches_source(DuckDBTables(database), dimension, {})) == []


def test_a_table_of_groups_needs_the_column_that_leads_to_it() -> None:
    with pytest.raises(ValueError, match="'shop' requires group_key"):
        replace(RENTALS, group_key=None)


def test_a_sum_of_floats_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sum\(km\): a sum must be a bigint or a decimal"):
        Sum("sum(km)", "sum(km)", "double", "km")
