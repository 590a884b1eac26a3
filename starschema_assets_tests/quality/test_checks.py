"""Each check of each table fails, and no other check, if a test breaks its condition."""

import json
from datetime import date

import pytest

from starschema_assets.checks import checks_of
from starschema_assets.contract import Contract
from starschema_assets.model import Model
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.star.models import HISTORIES, MODELS
from starschema_assets_tests.quality.conftest import GoodLake

ALL = {
    f"{contract.name}:{check.name}": not check.warning
    for contract in [*CONTRACTS, *(model.contract for model in MODELS)]
    for check in checks_of(contract)
}

# For each check, a statement that makes this check fail and no other.
BROKEN = {
    "star/fact_orders:key": "update star.fact_orders set orderNumber = 1",
    "star/fact_orders:not_null": "update star.fact_orders set status = null",
    "star/fact_orders:types": "alter table star.fact_orders alter priceEach type decimal(12,2)",
    "star/fact_orders:quantityOrdered_positive": """
        update star.fact_orders set quantityOrdered = quantityOrdered - 5 * (3 - 2 * orderNumber),
            orderAmount = (quantityOrdered - 5 * (3 - 2 * orderNumber)) * priceEach""",
    "star/fact_orders:priceEach_not_negative": """
        update star.fact_orders set priceEach = case orderNumber when 1 then -5 else 20 end,
            orderAmount = case orderNumber when 1 then -10 else 60 end""",
    "star/fact_orders:orderAmount_is_product": """
        update star.fact_orders set orderAmount = orderAmount + 0.01 * (3 - 2 * orderNumber)""",
    "star/fact_orders:required_after_order": """
        update star.fact_orders set requiredDate = date '2024-01-01'""",
    "star/fact_orders:shipped_after_order": """
        update star.fact_orders set shippedDate = date '2024-01-01'""",
    "star/fact_orders:status_known": "update star.fact_orders set status = 'Lost'",
    "star/fact_orders:customerNumber_in_dim_customers": """
        delete from star.dim_customers where customerNumber = 2""",
    "star/fact_orders:productCode_in_dim_products": """
        delete from star.dim_products where productCode = 'S1'""",
    "star/fact_orders:locationKey_in_dim_locations": "update star.fact_orders set locationKey = ''",
    "star/fact_orders:customerNumber_customerVersion_in_dim_customers_history": """
        update star.fact_orders set customerVersion = 2 where orderNumber = 2""",
    "star/fact_orders:productCode_productVersion_in_dim_products_history": """
        update star.dim_products_history set productCode = 's1' where productCode = 'S1'""",
    "star/fact_orders:orderDate_in_dim_dates": """
        update star.fact_orders set orderDate = date '2024-02-28';
        delete from star.dim_dates where date = date '2024-02-28'""",
    "star/fact_orders:requiredDate_in_dim_dates": """
        update star.fact_orders set requiredDate = date '2025-01-01'""",
    "star/fact_orders:shippedDate_in_dim_dates": """
        update star.fact_orders set shippedDate = date '2025-01-01'""",
    "star/fact_orders:matches_source": """
        update star.fact_orders set priceEach = 10.01, orderAmount = quantityOrdered * 10.01""",
    "star/dim_customers:creditLimit_not_negative": "update star.dim_customers set creditLimit = -1",
    "star/dim_customers:locationKey_in_dim_locations": """
        update star.dim_customers set locationKey = ''""",
    "star/dim_customers_history:locationKey_in_dim_locations": """
        update star.dim_customers_history set locationKey = ''""",
    **{
        f"star/{history.contract.table}:{name}": statement.replace("?", history.contract.table)
        for history in HISTORIES
        for name, statement in {
            "not_null": "update star.? set observedOn = null",
            "types": "alter table star.? add extra int",
            "begins_when_observed": "update star.? set validFrom = date '0001-01-02'",
            "first_is_there": "update star.? set isDeleted = true",
            "current_is_open": "update star.? set isCurrent = not isCurrent",
        }.items()
    },
    "star/dim_dates:weekday_in_week": "update star.dim_dates set weekday = 0",
    "star/dim_customers:key": "insert into star.dim_customers from star.dim_customers limit 1",
    "star/dim_products:key": "insert into star.dim_products from star.dim_products limit 1",
    "star/dim_locations:key": "insert into star.dim_locations from star.dim_locations limit 1",
    "star/dim_dates:key": "insert into star.dim_dates from star.dim_dates limit 1",
    "star/dim_customers:not_null": "update star.dim_customers set phone = null",
    "star/dim_products:not_null": "update star.dim_products set productName = null",
    "star/dim_locations:not_null": "update star.dim_locations set country = null",
    "star/dim_dates:not_null": "update star.dim_dates set monthName = null",
    "star/dim_customers:types": "alter table star.dim_customers drop phone",
    "star/dim_products:types": "alter table star.dim_products add extra int",
    "star/dim_locations:types": "alter table star.dim_locations rename state to region",
    "star/dim_dates:types": """
        create or replace table star.dim_dates as
        select * exclude (year), year from star.dim_dates""",
    "raw/customers:key": "insert into raw.customers from raw.customers limit 1",
    "raw/employees:key": "insert into raw.employees from raw.employees limit 1",
    "raw/offices:key": "insert into raw.offices from raw.offices limit 1",
    "raw/orderdetails:key": "insert into raw.orderdetails from raw.orderdetails limit 1",
    "raw/orders:key": "insert into raw.orders from raw.orders limit 1",
    "raw/payments:key": "insert into raw.payments from raw.payments limit 1",
    "raw/productlines:key": "insert into raw.productlines from raw.productlines limit 1",
    "raw/products:key": "insert into raw.products from raw.products limit 1",
    "raw/customers:not_null": "update raw.customers set city = null",
    "raw/employees:not_null": "update raw.employees set email = null",
    "raw/offices:not_null": "update raw.offices set territory = null",
    "raw/orderdetails:not_null": "update raw.orderdetails set priceEach = null",
    "raw/orders:not_null": "update raw.orders set status = null",
    "raw/payments:not_null": "update raw.payments set amount = null",
    "raw/productlines:not_null": "update raw.productlines set productLine = null",
    "raw/products:not_null": "update raw.products set productName = null",
    **{
        f"{contract.name}:types": f"alter table {'.'.join(contract.path)} add extra int"
        for contract in CONTRACTS
    },
}


def test_every_check_passes_on_good_tables(good: GoodLake) -> None:
    assert good.failures() == {}
    assert good.findings.keys() == ALL.keys()


@pytest.mark.parametrize("title", BROKEN)
def test_a_broken_table_fails_just_this_check(title: str, good: GoodLake) -> None:
    for statement in BROKEN[title].split(";"):
        good.sql(statement)
    if title.startswith("raw/") and title.endswith(":key"):
        entries = good.entries["raw", title.removeprefix("raw/").removesuffix(":key")]
        entries["source_rows"] = str(int(entries["source_rows"]) + 1)
    assert good.failures() == {title: ALL[title]}


NEXT_VERSION = "insert into star.? select * replace ({}) from star.?"
OVERLAPPING = {
    "an overlap": "2 as version, current_date as validFrom",
    "a gap": "2 as version, current_date as validFrom, date '0001-01-02' as validTo",
    "a number left out": "3 as version",
    "the same version twice": "1 as version",
}


@pytest.mark.parametrize("replaced", OVERLAPPING.values(), ids=OVERLAPPING.keys())
@pytest.mark.parametrize("history", HISTORIES, ids=lambda model: model.contract.table)
def test_versions_that_do_not_follow_each_other_are_found(
    history: Model, replaced: str, good: GoodLake
) -> None:
    good.sql(NEXT_VERSION.format(replaced).replace("?", history.contract.table))
    assert good.failures()[f"{history.contract.name}:one_version_a_day"]


def test_a_version_without_a_day_is_found(good: GoodLake) -> None:
    good.sql("update star.dim_customers_history set validTo = validFrom")
    assert good.failures()["star/dim_customers_history:valid_for_a_day"]


def test_a_fact_of_another_history_is_found(good: GoodLake) -> None:
    good.entries["star", "dim_products_history"]["digest"] = "another"
    assert good.failures() == {"star/fact_orders:same_history": True}
    message = good.findings["star/fact_orders:same_history"].message
    assert "another version of star/dim_products_history: materialize it" in message


def test_more_new_versions_than_the_setting_allows_are_found(good: GoodLake) -> None:
    good.entries["star", "dim_customers_history"]["day"] = "2026-01-05"
    good.sql("update star.dim_customers_history set observedOn = date '2026-01-01'")
    good.sql(
        "create or replace table star.dim_customers_history as from star.dim_customers_history "
        "union all select * replace (2 as version, date '2026-01-05' as validFrom, "
        "date '2026-01-05' as observedOn) from star.dim_customers_history where customerNumber = 1"
    )
    good.sql(
        "update star.dim_customers_history set validTo = date '2026-01-05', isCurrent = false "
        "where customerNumber = 1 and version = 1"
    )
    assert good.failures() == {"star/dim_customers_history:new_versions": True}
    message = good.findings["star/dim_customers_history:new_versions"].message
    assert message == "1 of 2 rows got a new version on 2026-01-05: 50.0%, 20.0% allowed"
    good.settings = good.settings.model_copy(update={"max_new_versions": 0.5})
    assert good.failures() == {}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_rows_that_the_source_counted_and_the_file_lacks_fail_row_count(
    contract: Contract, good: GoodLake
) -> None:
    good.entries[contract.path]["source_rows"] = "9"
    assert good.failures() == {f"{contract.name}:row_count": True}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_a_table_that_shrank_by_more_than_the_limit_fails_row_loss(
    contract: Contract, good: GoodLake
) -> None:
    good.entries[contract.path]["rows_before"] = "3"
    assert good.failures() == {f"{contract.name}:row_loss": True}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_a_zero_date_that_became_null_is_a_warning(contract: Contract, good: GoodLake) -> None:
    good.entries[contract.path]["nulled_dates"] = json.dumps({"someDate": 3})
    assert good.failures() == {f"{contract.name}:exact_values": False}
    finding = good.findings[f"{contract.name}:exact_values"]
    assert finding.offending_rows == 3
    assert "someDate" in finding.message


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.contract.table)
def test_raw_tables_of_different_snapshots_are_a_warning(model: Model, good: GoodLake) -> None:
    good.entries[model.contract.path]["raw_snapshots"] = json.dumps({"a": "1", "b": "2"})
    assert good.failures() == {f"{model.contract.name}:one_snapshot": False}


def test_an_order_of_tomorrow_is_a_warning(good: GoodLake, tomorrow: date) -> None:
    for column in ("orderDate", "requiredDate", "shippedDate"):
        good.sql(f"update star.fact_orders set {column} = date '{tomorrow}'")
    good.sql(f"update star.dim_dates set date = date '{tomorrow}' where date = '2024-02-29'")
    entries = good.entries["star", "fact_orders"]
    entries["order_figures"] = entries["order_figures"].replace("2024", str(tomorrow.year))
    assert good.failures() == {"star/fact_orders:newest_order": False}


def test_a_newest_order_older_than_the_setting_is_a_warning(good: GoodLake) -> None:
    good.settings = good.settings.model_copy(update={"max_order_age": 30})
    assert good.failures() == {"star/fact_orders:newest_order": False}


def test_figures_that_were_never_recorded_fail_matches_source(good: GoodLake) -> None:
    del good.entries["star", "fact_orders"]["order_figures"]
    assert good.failures() == {"star/fact_orders:matches_source": True}


def test_amounts_are_compared_for_each_year_by_itself(good: GoodLake) -> None:
    entries = good.entries["star", "fact_orders"]
    entries["order_figures"] = json.dumps(
        [["2023", "1", "2", "20.00"], ["2024", "1", "3", "30.00"]]
    )
    assert good.failures() == {"star/fact_orders:matches_source": True}
    message = good.findings["star/fact_orders:matches_source"].message
    assert "2023: nothing in the table, 1 lines, 2 pieces, 20.00 USD at the source" in message


def test_offending_rows_are_counted_and_at_most_five_are_shown_with_personal_data_masked(
    good: GoodLake,
) -> None:
    good.tables.add("customers", *({"customerNumber": n} for n in range(10, 20)))
    good.sql("update raw.customers set city = null, phone = '555'")
    good.entries["raw", "customers"] |= {"source_rows": "12", "rows_before": "12"}
    good.failures()
    finding = good.findings["raw/customers:not_null"]
    assert finding.offending_rows == 12
    assert len(finding.examples) == 5
    assert finding.examples[0]["customerNumber"] in range(20)
    assert finding.examples[0]["phone"] == "***"
    assert "555" not in str(finding)
