"""Tests for changes at the source between two refreshes: tables, columns and row counts."""

import json

from dagster import ExecuteInProcessResult
from pydantic import SecretStr

from starschema_assets_tests.conftest import Sales, copy_sample, on_both
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline

LOST_COLUMNS = """
    alter table customers rename column city to town;
    alter table customers modify customerName varbinary(50) not null;
    update customers set customerName = x'E9FF' where customerNumber = 103;
    alter table orderdetails modify priceEach decimal(12, 2) not null;
    drop table products;
    drop table employees
"""


@on_both
def test_what_the_star_uses_and_the_source_lost_is_named_before_anything_is_written(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql(LOST_COLUMNS)
    run = refreshed.refused()
    made = {result.check_name for result in run.get_asset_check_evaluations()}
    assert made == {"same_source", "source_schema"}
    reason = refreshed.reason(run)
    expected = {
        "raw/customers:source_schema": "customers.customerName is binary at the source, but "
        "string in the contract; used by star/dim_customers; customers.city is missing at the "
        "source, but string in the contract; used by star/dim_customers_history, "
        "star/dim_customers; the source has columns that the contract doesn't have: town",
        "raw/orderdetails:source_schema": "orderdetails.priceEach is decimal(12,2) at the source, "
        "but decimal(10,2) in the contract; used by star/fact_orders",
        "raw/products:source_schema": "the source has no table products; used by "
        "star/dim_products, star/dim_products_history, star/fact_orders, the key of raw/products",
        "raw/employees:source_schema": "the source has no table employees; used by "
        "the key of raw/employees",
    }
    assert refreshed.failures(run) == dict.fromkeys(expected, True)
    assert {title: refreshed.check(title).description for title in expected} == expected
    assert all(f"{title}: {text}" in reason for title, text in expected.items())
    sales.mend()
    assert refreshed.refresh().success


UNUSED = """
    alter table orders add column `the "odd" note` varchar(20) not null default '"n"';
    alter table payments rename column paymentDate to paidOn;
    alter table offices drop column territory;
    alter table products modify quantityInStock int not null
"""
UNHELD = """
    alter table customers add column position point;
    alter table products add column embedding decimal(65, 30), add column price decimal(39, 2)
"""
SPELLINGS = """
    update customers set country = 'usa' where country = 'UK';
    update customers set country = ' Spain  ' where customerNumber = 116;
    update products set productVendor = 'Café' where productCode = 'S10_1000';
    update products set productVendor = 'CAFE' where productCode = 'S10_1298';
"""


@on_both
def test_what_the_star_does_not_use_may_change_with_a_warning(
    refreshed: Pipeline, sales: Sales
) -> None:
    """A refresh reports changed columns only once, and the other warnings every time.

    An audit reports all of them.
    """
    for sql in (UNUSED, UNHELD, SPELLINGS):
        sales.sql(sql)
    star = [f"describe star.{table}" for _, table in STAR]
    star.append(
        "select * exclude locationKey from star.fact_orders order by orderNumber, orderLineNumber"
    )
    before = [refreshed.rows(sql) for sql in star]
    drift = {
        "raw/orders:source_schema": 'orders.the "odd" note is new (string)',
        "raw/payments:source_schema": "payments.paymentDate no longer exists; not used; "
        "payments.paidOn is new (date)",
        "raw/offices:source_schema": "offices.territory no longer exists; not used",
        "raw/products:source_schema": "products.quantityInStock changed from smallint to int; "
        "not used",
    }
    standing = {
        "raw/customers:all_columns": "customers.position is left out: Athena has no type for point",
        "raw/products:all_columns": "products.embedding is left out: decimal(65,30) has more than "
        "38 digits; products.price is left out: decimal(39,2) has more than 38 digits",
        "raw/customers:one_spelling": "customers.country: 'USA' in 38 rows, 'usa' in 5 rows",
        "raw/products:one_spelling": "products.productVendor: 'CAFE' in 1 rows, 'Café' in 1 rows",
    }
    first = refreshed.refresh()
    assert first.success
    assert told(refreshed, first) == drift | standing
    assert refreshed.rows('select distinct "the ""odd"" note" from raw.orders') == [('"n"',)]
    assert [refreshed.rows(sql) for sql in star] == before
    second = refreshed.refresh()
    assert second.success
    assert told(refreshed, second) == standing
    assert told(refreshed, crawled_and_audited(refreshed)) == drift | standing


def told(pipeline: Pipeline, run: ExecuteInProcessResult) -> dict[str, str | None]:
    """Return the descriptions of the run's failed checks. Assert that none of them blocks."""
    failures = pipeline.failures(run)
    assert not any(failures.values())
    return {title: pipeline.check(title).description for title in failures}


def crawled_and_audited(refreshed: Pipeline) -> ExecuteInProcessResult:
    """Crawl the star schema, audit the published tables, and return the run of the audit."""
    assert refreshed.crawl().success
    return refreshed.audit()


NAMED_UNHELD = """
    alter table customers drop column country, drop column phone;
    alter table customers add column country point;
    alter table customers add column phone point;
    update customers set country = point(1, 2), phone = point(3, 4);
    alter table payments modify amount decimal(65, 30) not null;
    set @least = (select min(amount) from payments);
    delete from payments where amount > @least
"""


@on_both
def test_a_column_that_a_contract_names_and_no_file_can_hold_stops_the_refresh(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql(NAMED_UNHELD)
    run = refreshed.refused()
    expected = {
        "raw/customers:exact_values": "customers.country: Athena has no type for point (a "
        "value: POINT(1 2)); customers.phone: Athena has no type for point (a value: ***)",
        "raw/payments:exact_values": "payments.amount: decimal(65,30) has more than 38 digits (a "
        f"value: {sales.sql('select min(amount) from payments').strip()})",
    }
    assert refreshed.failures(run) == dict.fromkeys(expected, True)
    reason = refreshed.reason(run)
    for title, said in expected.items():
        assert f"{title}: {said}, but the contract needs it: read a view that" in reason


SHRUNK = """
    delete from orderdetails where orderNumber % 10 < 3;
    delete from employees order by employeeNumber desc limit 4;
    truncate offices
"""


def test_a_table_that_lost_too_many_rows_is_published_only_if_that_is_accepted(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql(SHRUNK)
    lines = int(sales.sql("select count(*) from orderdetails"))
    run = refreshed.refused()
    assert refreshed.failures(run) == {
        "raw/offices:row_loss": True,
        "raw/orderdetails:row_loss": True,
    }
    reason = refreshed.reason(run)
    assert "raw/offices:row_loss: 0 rows (7 before): 100.0% lost, 20.0% allowed" in reason
    run = refreshed.refused(accept=["raw/offices:row_loss"])
    assert refreshed.failures(run) == {
        "raw/offices:row_loss": False,
        "raw/orderdetails:row_loss": True,
    }
    run = refreshed.refresh(accept=["raw/offices:row_loss", "raw/orderdetails:row_loss"])
    assert run.success
    assert refreshed.failures(run) == {
        "raw/offices:row_loss": False,
        "raw/orderdetails:row_loss": False,
    }
    record = refreshed.check("raw/orderdetails:row_loss").description or ""
    assert record.startswith(f"Accepted for this run. {lines} rows (3068 before")
    assert refreshed.rows("select count(*) from star.fact_orders") == [(lines,)]
    sales.mend()
    assert refreshed.refresh().success


def test_another_database_than_the_last_one_is_refused_before_it_is_read(
    refreshed: Pipeline, sales: Sales
) -> None:
    other = copy_sample(sales.server, "other")
    other.sql("drop table employees")
    moved = refreshed.settings.model_copy(update={"source_url": SecretStr(other.url)})
    pipeline = Pipeline(moved, refreshed.instance)
    titles = [f"{'/'.join(table)}:same_source" for table in RAW]
    run = pipeline.refused()
    failures = dict.fromkeys(titles, True) | {"raw/employees:source_schema": True}
    assert pipeline.failures(run) == failures
    address = f"mysql://127.0.0.1:{sales.server.port}"
    said = f"the lake has tables from {address}/sales, but this table is from {address}/other: "
    assert (pipeline.check(titles[0]).description or "").startswith(said)

    other.mend()
    (step,) = pipeline.refused().get_step_failure_events()
    data = step.step_failure_data.user_failure_data
    assert data
    assert data.metadata["accept"].value == json.dumps(titles)
    run = pipeline.refresh(accept=titles)
    assert run.success
    assert pipeline.failures(run) == dict.fromkeys(titles, False)
    record = pipeline.check(titles[0]).description or ""
    assert record.startswith(f"Accepted for this run. {said}")
    assert pipeline.failures(crawled_and_audited(pipeline)) == {}
    run = refreshed.refused(("raw", "offices"))
    assert refreshed.failures(run) == {"raw/offices:same_source": True}


@on_both
def test_a_declaration_or_a_value_that_can_not_be_taken_over_can_not_be_accepted(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql("update orders set orderDate = '0000-00-00' limit 1")
    run = refreshed.refused(accept=["raw/orders:exact_values"])
    assert refreshed.failures(run) == {"raw/orders:exact_values": True}
    assert "This can't be accepted. Invalid dates" in refreshed.reason(run)
    sales.sql("alter table orders drop column status")
    run = refreshed.refused(accept=["raw/orders:source_schema"])
    assert refreshed.failures(run) == {"raw/orders:source_schema": True}
    assert "This can't be accepted. orders.status is missing" in refreshed.reason(run)


@on_both
def test_an_empty_source_gives_empty_tables(pipeline: Pipeline, sales: Sales) -> None:
    sales.sql("".join(f"truncate {table};" for _, table in RAW))
    run = pipeline.refresh()
    assert run.success
    assert pipeline.failures(run) == {"star/fact_orders:newest_order": False}
    for table in (*RAW, *STAR):
        assert pipeline.rows(f"select count(*) from {'.'.join(table)}") == [(0,)]


def test_a_source_of_one_order_gives_a_star_of_one_order(pipeline: Pipeline, sales: Sales) -> None:
    sales.sql("""
        delete from orders where orderNumber > 10100;
        delete from orderdetails where orderNumber > 10100 or orderLineNumber > 1
    """)
    run = pipeline.refresh()
    assert run.success
    assert pipeline.failures(run) == {}
    assert pipeline.rows("select orderNumber, orderLineNumber from star.fact_orders") == [
        (10100, 1)
    ]
    assert pipeline.rows("select distinct year, count(*) from star.dim_dates group by 1") == [
        (2023, 365)
    ]
