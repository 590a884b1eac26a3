"""Tests for audits of partial refreshes, without selected checks, and without a refresh."""

import duckdb
import pyarrow.parquet as pq
import pytest
from dagster import AssetSelection, Definitions, define_asset_job
from pydantic import SecretStr

from starschema_assets.definitions import build
from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import Sales
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline

ORDERDETAILS = ("raw", "orderdetails")
CUSTOMERS = ("raw", "customers")


def test_a_fact_that_fails_leaves_the_old_dimensions_beside_it(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql("""
        update customers set customerName = 'Renamed';
        update orderdetails set quantityOrdered = -1 limit 1
    """)
    run = refreshed.refused()
    assert refreshed.materialized(run) == ["/".join(table) for table in RAW]
    assert refreshed.check("star/dim_customers:key").passed
    new, old = ("customerName = 'Renamed'", "customerName <> 'Renamed'")
    assert refreshed.rows(f"select bool_and({new}) from raw.customers") == [(True,)]
    assert refreshed.rows(f"select bool_and({old}) from star.dim_customers") == [(True,)]


def test_deselected_checks_are_made_all_the_same(refreshed: Pipeline, sales: Sales) -> None:
    selection = AssetSelection.groups("raw", "star").without_checks()
    definitions = Definitions.merge(
        build(refreshed.settings), Definitions(jobs=[define_asset_job("unchecked", selection)])
    )
    job = definitions.resolve_job_def("unchecked")
    before = refreshed.published()
    sales.sql("alter table orders drop primary key; insert into orders select * from orders")
    run = refreshed.run(job)
    assert not [event for event in run.all_events if "CHECK_EVALUATION_PLANNED" in str(event)]
    assert "raw/orders:key" in refreshed.reason(run)
    assert not refreshed.check("raw/orders:key").passed
    assert refreshed.published() == before
    sales.mend()
    assert refreshed.run(job).success
    assert refreshed.published() != before


def test_raw_tables_of_different_snapshots_make_a_star_with_a_warning(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql("update customers set phone = '1'")
    assert refreshed.refresh(CUSTOMERS).success
    run = refreshed.refresh(*STAR)
    assert run.success
    assert refreshed.failures(run) == {"star/fact_orders:one_snapshot": False}
    told = refreshed.check("star/fact_orders:one_snapshot").description or ""
    snapshots = dict(
        part.removeprefix("raw/").split(" is from snapshot ") for part in told.split("; ")
    )
    assert snapshots["customers"] > snapshots["orders"] == snapshots["orderdetails"]
    assert refreshed.rows("select distinct phone from star.dim_customers") == [("1",)]
    assert refreshed.refresh().success
    assert refreshed.check("star/fact_orders:one_snapshot").passed


def test_raw_tables_of_different_snapshots_make_no_star_that_the_source_contradicts(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql("update orders set orderDate = '2024-01-02' where orderNumber = 10100")
    assert refreshed.refresh(ORDERDETAILS).success
    run = refreshed.refused(*STAR)
    assert refreshed.failures(run) == {
        "star/fact_orders:one_snapshot": False,
        "star/fact_orders:matches_source": True,
    }
    told = refreshed.check("star/fact_orders:matches_source").description or ""
    assert told.startswith("2023: ")
    assert "2024: " in told
    assert refreshed.refresh().success


def test_a_dimension_is_not_published_if_the_published_fact_refers_to_what_it_lost(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql("delete from customers where customerNumber = 103")
    assert refreshed.refresh(CUSTOMERS).success
    run = refreshed.refused(("star", "dim_customers"))
    title = "star/fact_orders:customerNumber_in_dim_customers"
    assert refreshed.failures(run) == {title: True}
    assert title in refreshed.reason(run)
    sales.mend()
    assert refreshed.refresh().success


def test_published_tables_are_audited_without_the_source_and_without_a_refresh(
    refreshed: Pipeline,
) -> None:
    refreshed.settings = without_source(refreshed.settings)
    assert refreshed.crawl().success
    before = refreshed.published()
    run = refreshed.audit()
    assert run.success
    assert refreshed.failures(run) == {}
    assert len(run.get_asset_check_evaluations()) > 50
    assert refreshed.materialized(run) == []
    assert refreshed.published() == before


def without_source(settings: Settings) -> Settings:
    """Settings with a source that can't be reached."""
    url = SecretStr("mysql+pymysql://reader:x@127.0.0.1:1/gone")
    return settings.model_copy(update={"source_url": url})


def test_the_audit_finds_published_files_that_were_tampered_with(refreshed: Pipeline) -> None:
    refreshed.settings = without_source(refreshed.settings)
    assert refreshed.crawl().success
    fetch = refreshed.lake.fetch
    for file in (fetch(("star", "fact_orders")), fetch(("raw", "orders"))):
        pq.write_table(pq.read_table(file).slice(1), file)
    offices, payments = fetch(("raw", "offices")), fetch(("raw", "payments"))
    duckdb.execute(f"copy (select * from '{offices}') to '{offices}' (format parquet)")
    payments.write_bytes(payments.read_bytes()[:-10])
    run = refreshed.audit()
    assert not run.success
    assert refreshed.failures(run) == {
        "raw/offices:row_count": True,
        "raw/orders:row_count": True,
        "raw/payments:row_count": True,
        "star/fact_orders:matches_source": True,
    }
    told = {name: refreshed.check(f"raw/{name}:row_count").description for name in TAMPERED}
    for name, text in TAMPERED.items():
        assert text in str(told[name])


TAMPERED = {
    "offices": "was not written by this pipeline: restore or rematerialize the table",
    "orders": "325 rows in the file, 326 at the source",
    "payments": "is not a complete Parquet file",
}


@pytest.mark.parametrize(
    ("accepted", "said"),
    [
        ("raw/order:row_loss", "did you mean raw/orders:row_loss"),
        ("raw/orders:rowloss", "did you mean raw/orders:row_loss"),
        ("star/fact_orders:status_known", "is not a blocking check of this step"),
    ],
)
def test_what_is_accepted_must_be_a_check_that_blocks(
    accepted: str, said: str, refreshed: Pipeline
) -> None:
    run = refreshed.refused(accept=[accepted])
    assert accepted in refreshed.reason(run)
    assert said in refreshed.reason(run)
