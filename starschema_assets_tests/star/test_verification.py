"""Faults of contracts and SQL that are found before anything runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from starschema_assets.contract import (
    Column,
    Contract,
    ForeignKey,
    Newest,
    Reconciliation,
    Rule,
    Sum,
    Tracked,
)
from starschema_assets.model import ModelError
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.star.discovery import models_of
from starschema_assets.star.models import MODELS
from starschema_assets.star.verification import faults_of, verify

ID = Column("id", "int", "Number.")
PRICE = Column("price", "decimal(10,2)", "Price.")
GOODS = Contract("raw", "goods", "one row per good", "Goods.", ("id",), (ID, PRICE))
SALES = replace(GOODS, stage="star", table="sales", grain="one row per sale")
SQL = "select id, price from raw.goods"

Faults = Callable[..., list[str]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """Finds faults of a star table and a raw table. Arguments change their contracts and SQL."""
    folder = tmp_path / "star"
    (folder / "steps").mkdir(parents=True)

    def find(
        sql: str = SQL, *, raw: Contract = GOODS, step: str = "", **changes: object
    ) -> list[str]:
        contract = replace(SALES, **changes)  # type: ignore[arg-type]
        (folder / f"{contract.table}.sql").write_text(sql)
        if step:
            (folder / "steps" / "sold.sql").write_text(step)
        return list(faults_of([raw], models_of({contract.table: contract}, [raw], folder)))

    return find


def test_the_project_has_no_faults() -> None:
    assert list(faults_of(CONTRACTS, MODELS)) == []
    verify(CONTRACTS, MODELS)


def test_all_faults_are_told_at_once() -> None:
    keyless = [replace(GOODS, key=()), replace(GOODS, table="others", key=())]
    with pytest.raises(ModelError) as told:
        verify(keyless, [])
    assert [line.split()[0] for line in str(told.value).splitlines()] == ["raw/goods", "raw/others"]


def test_good_tables_have_no_faults(faults: Faults) -> None:
    assert faults() == []
    assert faults("select id, price from star.sold", step=SQL) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"grain": "one row per ?"},
            "star/sales has no grain: write what one row represents into star/sales.py",
        ),
        (
            {"key": ()},
            "star/sales has no key: write the columns that identify a row into star/sales.py",
        ),
        (
            {"key": ("prize",)},
            "star/sales: key contains prize, which is not a column; did you mean price?",
        ),
        (
            {"sorted_by": ("day",)},
            "star/sales: sorted_by contains day, which is not a column",
        ),
        (
            {"foreign_keys": (ForeignKey(("good",), "sales_history"),)},
            "star/sales: foreign key to sales_history contains good, which is not a column",
        ),
        (
            {"foreign_keys": (ForeignKey(("id", "price"), "sales"),)},
            (
                "star/sales: the foreign key id (int), price (decimal(10,2)) refers to star/sales, "
                "whose key is id (int)"
            ),
        ),
        (
            {"foreign_keys": (ForeignKey(("price",), "sales"),)},
            (
                "star/sales: the foreign key price (decimal(10,2)) refers to star/sales, "
                "whose key is id (int)"
            ),
        ),
        (
            {"newest": Newest("newest_sale", "day")},
            "star/sales: newest contains day, which is not a column",
        ),
        (
            {"table": "order"},
            "star/order: order is a reserved word in SQL: choose another name",
        ),
        (
            {"table": "line items"},
            "star/line items: a name must have 1 to 255 letters, digits or underscores",
        ),
        (
            {"columns": (ID, replace(PRICE, name="unit price"))},
            "star/sales.unit price: a name must have 1 to 255 letters, digits or underscores",
        ),
        (
            {"columns": (ID, replace(PRICE, name="Unnest"))},
            "star/sales.Unnest: Unnest is a reserved word in SQL: choose another name",
        ),
        (
            {"columns": (ID, replace(PRICE, name="limit"))},
            "star/sales.limit: limit is a reserved word in SQL: choose another name",
        ),
        (
            {"columns": (ID, replace(ID, name="ID"))},
            "star/sales.id and star/sales.ID: Athena ignores case, so rename one of them",
        ),
        (
            {"columns": (ID, replace(PRICE, type="money"))},
            (
                "star/sales.price: 'money' isn't one of boolean, tinyint, smallint, int, bigint, "
                "float, double, date, timestamp, string, binary, decimal(p,s)"
            ),
        ),
    ],
)
def test_a_contract_that_cannot_hold_is_told(
    faults: Faults, changes: dict[str, object], said: str
) -> None:
    assert faults(**changes) == [said]


def test_more_columns_than_a_query_can_name_are_told(faults: Faults) -> None:
    names = [f"a_column_with_a_rather_long_name_{number:06}" for number in range(6200)]
    columns = tuple(Column(name, "int", "") for name in names)
    (fault,) = faults(columns=columns, key=(names[0],))
    assert fault == (
        "star/sales: a query for its 6200 columns would be longer than Athena's limit of "
        "262,144 bytes"
    )


def test_tables_that_differ_in_case_only_are_told() -> None:
    assert list(faults_of([GOODS, replace(GOODS, table="Goods")], [])) == [
        "raw/goods and raw/Goods: Athena ignores case, so rename one of them"
    ]


@pytest.mark.parametrize("name", ["order", "type", "class", "2020"])
def test_a_raw_table_may_have_the_name_that_the_source_gives_it(faults: Faults, name: str) -> None:
    raw = replace(GOODS, table=name, columns=(ID, replace(PRICE, name="unit price")))
    assert faults(f'select id, "unit price" as price from raw."{name}"', raw=raw) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "select id, price from raw.godos",
            (
                "star/sales.sql reads raw.godos, which has no contract in raw/contracts.py. "
                "Contracts: goods; did you mean goods?"
            ),
        ),
        (
            "select id,\nprise as price from raw.goods",
            (
                'star/sales.sql: line 2: Binder Error: Referenced column "prise" not found in FROM '
                'clause! Candidate bindings: "price"'
            ),
        ),
        (
            "select id, price from goods",
            (
                "star/sales.sql: line 1: Catalog Error: Table with name goods does not exist! Did "
                'you mean "raw.goods"?'
            ),
        ),
        (
            "select id, price, price as Id from raw.goods",
            "star/sales.sql: columns 'id' and 'Id': Athena ignores case, so rename one of them.",
        ),
        (
            "select id, price, id from raw.goods",
            "star/sales.sql: columns 'id' and 'id': Athena ignores case, so rename one of them.",
        ),
        (
            "select id, price, current_time as t from raw.goods",
            (
                "star/sales.sql: column 't' is time64[us]: Athena has no time of day: cast it "
                "to text, or to a number of seconds."
            ),
        ),
        (
            "select price from raw.goods",
            "star/sales: the contract has the column id, but star/sales.sql doesn't return it",
        ),
        (
            "select id, price, 'a' as note from raw.goods",
            "star/sales: star/sales.sql returns the column note, which isn't in the contract",
        ),
        (
            "select cast(id as bigint) as id, price from raw.goods",
            "star/sales.id is int in the contract, but bigint in star/sales.sql",
        ),
        (
            "select price, id from raw.goods",
            "star/sales: star/sales.sql returns the columns in the order price, id",
        ),
    ],
)
def test_sql_that_the_contract_cannot_be_made_of_is_told(
    faults: Faults, sql: str, said: str
) -> None:
    (fault,) = faults(sql)
    assert fault.startswith(said)


def test_a_fault_of_a_step_names_the_step(faults: Faults) -> None:
    (fault,) = faults("select id, price from star.sold", step="select id from raw.goods where no")
    assert fault.startswith('star/steps/sold.sql: line 1: Binder Error: Referenced column "no"')


def test_a_rule_and_a_sum_are_tried_on_the_table(faults: Faults) -> None:
    rule = Rule("price_positive", "prize > 0", "A price is positive.")
    sums = (Sum("count(*)", "count(*)", "bigint", "sales"),)
    reconciliation = Reconciliation("goods", sums, "year", "year")
    told = faults(rules=(rule,), reconciliation=reconciliation)
    assert [fault.partition(" Binder")[0] for fault in told] == [
        "star/sales: reconciliation: raw/goods has no column year",
        "star/sales: rule price_positive: line 1:",
        "star/sales: reconciliation: line 1:",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"source": "sum(prices)"}, ["raw/goods has no column prices; did you mean price?"]),
        ({"source": "sum(if(`ID` > 1, price, 0))"}, []),
        ({"source": "sum(price"}, ["sum(price at the source: Expecting ). Line 1, Col: 9."]),
        ({"source": "'"}, ["' at the source: Error tokenizing ''"]),
        (
            {"group_table": "good", "group_key": "id"},
            ["raw/good has no contract in raw/contracts.py; did you mean goods?"],
        ),
        ({"group_table": "goods", "group_key": "good_id"}, ["raw/goods has no column good_id"]),
    ],
)
def test_what_the_source_is_asked_is_compared_with_the_raw_contracts(
    faults: Faults, changes: dict[str, str], said: list[str]
) -> None:
    source = changes.pop("source", "sum(price)")
    sums = (Sum(source, "sum(price)", "decimal(38,2)", "USD"),)
    told = faults(reconciliation=Reconciliation("goods", sums, "id", "number", **changes))
    assert told == [f"star/sales: reconciliation: {fault}" for fault in said]


def test_a_reconciliation_with_a_table_that_is_not_read_is_told(faults: Faults) -> None:
    sums = (Sum("count(*)", "count(*)", "bigint", "sales"),)
    assert faults(reconciliation=Reconciliation("sold", sums, "id", "number")) == [
        "star/sales is reconciled with raw/sold, but its SQL reads only goods"
    ]


def test_what_is_tracked_is_compared_with_its_step(faults: Faults) -> None:
    tracked = Tracked("sold", (replace(PRICE, type="int"),))
    assert faults(tracked=tracked, step=SQL) == [
        "star/sales_history.price is int in the contract, but decimal(10,2) in star/steps/sold.sql"
    ]
