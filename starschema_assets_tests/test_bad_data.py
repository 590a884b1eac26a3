"""Tests for invalid rows at the source: checks report them, and they are never published."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from starschema_assets_tests.conftest import Sales, on_both
from starschema_assets_tests.database_server import numbers
from starschema_assets_tests.pipeline import Pipeline


@dataclass(frozen=True)
class Spoilt:
    """Statements that add invalid rows, and the expected results of checks."""

    sql: str
    rows: Mapping[str, int]
    """The checks that fail, with the number of invalid rows."""
    shown: Mapping[str, str | int]
    """Columns that the example of the first check must contain."""


SMALLEST_ORDER = (
    "(select orderNumber from sample.orderdetails group by 1 having count(*) = 1 limit 1)"
)

RAW_CASES = {
    "an order that is there twice": Spoilt(
        "alter table orders drop primary key; insert into orders select * from orders limit 1",
        {"raw/orders:key": 2},
        {"orderNumber": 10100, "rows": 2},
    ),
    "an order line that is there three times": Spoilt(
        f"""alter table orderdetails drop primary key;
        insert into orderdetails
        select first.* from {numbers(2)},
        (select * from orderdetails order by orderNumber, productCode limit 1) as first""",
        {"raw/orderdetails:key": 3},
        {"orderNumber": 10100, "productCode": "S10_1298", "rows": 3},
    ),
    "a NULL where none may be": Spoilt(
        """alter table customers modify phone varchar(50) null;
        update customers set phone = null, contactLastName = 'Silva' where customerNumber = 103""",
        {"raw/customers:not_null": 1},
        {"customerNumber": 103, "contactLastName": "***", "phone": "NULL"},
    ),
}
STAR_CASES = {
    "an order line without its order": Spoilt(
        "insert into orderdetails values (999999, 'S12_5885', 7, 12.34, 1)",
        {"star/fact_orders:not_null": 1},
        {"orderNumber": 999999, "customerNumber": "NULL", "productCode": "S12_5885"},
    ),
    "an order of a customer who does not exist": Spoilt(
        f"""update orders set customerNumber = 999999, comments = 'ask for Ana Silva'
        where orderNumber = {SMALLEST_ORDER}""",
        {"star/fact_orders:customerNumber_in_dim_customers": 1, "star/fact_orders:not_null": 1},
        {"customerNumber": 999999, "locationKey": "NULL", "comments": "***"},
    ),
    "a product that does not exist": Spoilt(
        "insert into orderdetails values (10100, 'S99_9999', 7, 12.34, 99)",
        {"star/fact_orders:productCode_in_dim_products": 1, "star/fact_orders:not_null": 1},
        {"orderNumber": 10100, "orderLineNumber": 99, "productCode": "S99_9999"},
    ),
    "two products on one line of an order": Spoilt(
        """update orderdetails set orderLineNumber = 1
        where orderNumber = 10100 and orderLineNumber = 2""",
        {"star/fact_orders:key": 2},
        {"orderNumber": 10100, "orderLineNumber": 1, "rows": 2},
    ),
    "quantities that are not positive": Spoilt(
        """update orderdetails set quantityOrdered = 3 - orderLineNumber
        where orderNumber = 10100 and orderLineNumber between 3 and 4""",
        {"star/fact_orders:quantityOrdered_positive": 2},
        {"orderNumber": 10100, "quantityOrdered": 0, "orderAmount": "0.00"},
    ),
    "a negative price": Spoilt(
        """update orderdetails set priceEach = -0.01
        where orderNumber = 10100 and orderLineNumber = 5""",
        {"star/fact_orders:priceEach_not_negative": 1},
        {"orderNumber": 10100, "priceEach": "-0.01"},
    ),
}


@on_both
@pytest.mark.parametrize("cases", [RAW_CASES, STAR_CASES], ids=["raw", "star"])
def test_bad_rows_are_named_and_not_published(
    cases: Mapping[str, Spoilt], refreshed: Pipeline, sales: Sales
) -> None:
    """All cases of a stage run together: each check counts the invalid rows of every case."""
    expected: Counter[str] = Counter()
    for spoilt in cases.values():
        sales.sql(spoilt.sql)
        expected.update(spoilt.rows)
    run = refreshed.refused()
    assert refreshed.failures(run) == dict.fromkeys(expected, True)
    for title, rows in expected.items():
        assert f"{title}: offending rows: {rows}" in refreshed.reason(run)
        metadata = refreshed.check(title).metadata
        assert metadata["offending_rows"].value == rows
        assert "Silva" not in str(metadata)
    for name, spoilt in cases.items():
        examples = refreshed.examples(next(iter(spoilt.rows)))
        assert [e for e in examples if spoilt.shown.items() <= e.items()], (name, examples)


ZERO_DATES = """
    update orders set orderDate = '0000-00-00' where orderNumber = 10100;
    update orders set shippedDate = '2025-00-15' where orderNumber < 10103;
    set sql_mode = 'ALLOW_INVALID_DATES';
    update payments set paymentDate = '2025-02-31' limit 1
"""


@on_both
def test_dates_that_are_none_are_refused_with_their_columns_and_values(
    refreshed: Pipeline, sales: Sales
) -> None:
    sales.sql(ZERO_DATES)
    run = refreshed.refused()
    failures = refreshed.failures(run)
    assert failures == {"raw/orders:exact_values": True, "raw/payments:exact_values": True}
    told = [refreshed.check(title).description or "" for title in failures]
    assert "orders.orderDate has 1 such as '0000-00-00'" in told[0]
    assert "orders.shippedDate has 3 such as '2025-00-15'" in told[0]
    assert "payments.paymentDate has 1 such as '2025-02-31'" in told[1]
    assert all(text in refreshed.reason(run) for text in told)
    sales.mend()
    assert refreshed.refresh().success


@on_both
def test_dates_that_are_none_become_null_if_the_setting_says_so_and_the_column_may_be_null(
    refreshed: Pipeline, sales: Sales
) -> None:
    refreshed.settings = refreshed.settings.model_copy(update={"zero_dates": "null"})
    sales.sql(ZERO_DATES)
    run = refreshed.refused()
    assert refreshed.failures(run) == {
        "raw/orders:exact_values": False,
        "raw/orders:not_null": True,
        "raw/payments:exact_values": False,
        "raw/payments:not_null": True,
    }
    sales.mend()
    sales.sql("update orders set shippedDate = '2025-00-15' where orderNumber < 10103")
    run = refreshed.refresh()
    assert run.success
    assert refreshed.failures(run) == {"raw/orders:exact_values": False}
    warning = refreshed.check("raw/orders:exact_values")
    assert warning.description == "3 zero dates of orders.shippedDate became NULL"
    assert warning.metadata["offending_rows"].value == 3
    for table in ("raw.orders", "star.fact_orders"):
        dates = f"select distinct shippedDate from {table} where orderNumber < 10103"
        assert refreshed.rows(dates) == [(None,)]


@on_both
def test_latin1_text_arrives_as_the_text_it_is(refreshed: Pipeline, sales: Sales) -> None:
    sales.sql("update customers set city = _latin1 x'4EEE6D6573' where customerNumber = 103")
    assert sales.sql("select hex(city) from customers where customerNumber = 103") == "4EEE6D6573\n"
    assert refreshed.refresh().success
    assert refreshed.rows("select city from raw.customers where customerNumber = 103") == [
        ("Nîmes",)
    ]
    assert refreshed.rows("select count(*) from star.dim_locations where city = 'Nîmes'") == [(1,)]


MILLION = f"""
    insert into orders
    select seq + 200000, date '2025-01-01', date '2025-01-09', null, 'Shipped', null, 103
    from {numbers(20_000)};
    create temporary table fifty as
    select productCode, row_number() over (order by productCode) as line
    from products order by productCode limit 50;
    insert into orderdetails
    select seq + 200000, productCode, if(seq = 12345 and line = 17, -7, 7), 1.01, line
    from {numbers(20_000)}, fifty;
"""


def test_one_bad_line_in_a_million_is_found_and_shown(refreshed: Pipeline, sales: Sales) -> None:
    sales.sql(MILLION)
    run = refreshed.refused()
    assert refreshed.failures(run) == {"star/fact_orders:quantityOrdered_positive": True}
    title = "star/fact_orders:quantityOrdered_positive"
    assert refreshed.check(title).metadata["offending_rows"].value == 1
    (line,) = refreshed.examples(title)
    assert (line["orderNumber"], line["orderLineNumber"]) == (212345, 17)
    assert refreshed.rows("select count(*) > 1000000 from raw.orderdetails") == [(True,)]
    sales.sql("update orderdetails set quantityOrdered = 7 where quantityOrdered = -7")
    assert refreshed.refresh().success
    assert refreshed.rows("select count(*) > 1000000 from star.fact_orders") == [(True,)]
