"""Tests for the main job, from a real MariaDB and MySQL to a lake."""

from decimal import Decimal

from starschema_assets_tests.conftest import Sales, on_both
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline

pytestmark = on_both


def test_a_refresh_publishes_every_table_and_the_star_says_what_the_source_says(
    pipeline: Pipeline, sales: Sales
) -> None:
    run = pipeline.refresh()
    assert run.success
    assert pipeline.materialized(run) == ["/".join(table) for table in [*RAW, *STAR]]
    assert pipeline.published().keys() == {
        f"{stage}/{table}/{table}.parquet" for stage, table in [*RAW, *STAR]
    }
    by_country = pipeline.rows(
        "select country, sum(orderAmount) from star.fact_orders "
        "join star.dim_locations using (locationKey) group by country"
    )
    at_source = sales.sql(
        "select trim(country), sum(quantityOrdered * priceEach) from orderdetails "
        "join orders using (orderNumber) join customers using (customerNumber) group by 1"
    )
    expected = dict(line.split("\t") for line in at_source.splitlines())
    assert {country: str(amount) for country, amount in by_country} == expected
    ((lines, amount),) = pipeline.rows("select count(*), sum(orderAmount) from star.fact_orders")
    assert sales.sql("select count(*) from orderdetails").strip() == str(lines)
    assert sum(map(Decimal, expected.values())) == amount


def test_a_second_refresh_changes_no_count(refreshed: Pipeline) -> None:
    counts = " union all ".join(
        f"select count(*) from {'.'.join(table)}" for table in [*RAW, *STAR]
    )
    before = refreshed.rows(counts)
    assert refreshed.refresh().success
    assert refreshed.rows(counts) == before


def test_orders_need_not_be_numbered_by_year(pipeline: Pipeline, sales: Sales) -> None:
    sales.sql(
        "update orders set orderDate = '2024-06-01', requiredDate = '2024-06-09', "
        "shippedDate = null where orderNumber = (select min(orderNumber) from sample.orders)"
    )
    assert pipeline.refresh().success


def test_a_line_whose_order_is_gone_from_between_is_missed_in_its_year(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql("set foreign_key_checks = 0; delete from orders where orderNumber = 10101")
    failures = refreshed.failures(refreshed.refused())
    assert set(failures) == {"star/fact_orders:not_null", "star/fact_orders:matches_source"}
    told = refreshed.check("star/fact_orders:matches_source").description or ""
    assert told.startswith("no year: 3 lines, 130 pieces, 14312.48 USD in the table, nothing at")


def test_one_table_can_be_refreshed_alone(refreshed: Pipeline, sales: Sales) -> None:
    before = refreshed.published()
    sales.sql("update customers set phone = '1'")
    run = refreshed.refresh(("raw", "customers"))
    assert refreshed.materialized(run) == ["raw/customers"]
    after = refreshed.published()
    assert {name for name in after if after[name] != before[name]} == {
        "raw/customers/customers.parquet"
    }
    run = refreshed.refresh(("star", "dim_customers"))
    assert refreshed.materialized(run) == ["star/dim_customers"]
    assert refreshed.rows("select distinct phone from star.dim_customers") == [("1",)]
