"""Discovery and order of models, and errors about files that don't match."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from starschema_assets.contract import Column, Contract, ForeignKey, Tracked
from starschema_assets.model import Model, ModelError
from starschema_assets.star import discovery
from starschema_assets.star.discovery import in_order, models_of, with_references

RAW = Contract("raw", "goods", "a good", "Goods.", ("id",), (Column("id", "int", "Number."),))

Made = Callable[..., Model]


@pytest.fixture
def star(tmp_path: Path) -> Path:
    """A folder for SQL files."""
    (tmp_path / "star" / "steps").mkdir(parents=True)
    return tmp_path / "star"


@pytest.fixture
def made(star: Path) -> Made:
    """Creates the model of a table with one column, which may refer to other tables."""

    def make(table: str, *references: str, sql: str = "select id from raw.goods") -> Model:
        (star / f"{table}.sql").write_text(sql)
        keys = tuple(ForeignKey(("id",), reference) for reference in references)
        contract = replace(RAW, stage="star", table=table, foreign_keys=keys)
        return models_of({table: contract}, [RAW], star)[0]

    return make


def names(*models: Model) -> list[str]:
    """Return the tables in the order of publication."""
    return [model.contract.table for model in in_order(models)]


def test_what_is_referred_to_is_published_before_whatever_its_name(made: Made) -> None:
    assert names(made("a", "b"), made("b", "c"), made("c")) == ["c", "b", "a"]


def test_a_table_may_refer_to_itself(made: Made) -> None:
    assert names(made("staff", "staff")) == ["staff"]


def test_a_fact_refers_to_others_and_no_other_table_refers_to_it() -> None:
    references = {"sales": "customers", "customers": "places", "places": None, "staff": "staff"}
    contracts = {
        table: replace(
            RAW,
            stage="star",
            table=table,
            foreign_keys=(ForeignKey(("id",), reference),) if reference else (),
        )
        for table, reference in references.items()
    }
    found = with_references(contracts)
    assert [table for table, contract in found.items() if contract.is_fact] == ["sales"]


def test_a_circle_is_refused_with_its_tables(made: Made) -> None:
    with pytest.raises(ModelError, match=r"^star/(staff → star/store|store → star/staff) → star/s"):
        in_order([made("staff", "store"), made("store", "staff"), made("film")])


def test_a_reference_to_no_table_is_refused_with_those_that_there_are(made: Made) -> None:
    with pytest.raises(
        ModelError,
        match=r"^star/sales: the foreign key id refers to star/dim_god, .* Existing tables: "
        r"dim_good, sales; did you mean dim_good\?$",
    ):
        in_order([made("dim_good"), made("sales", "dim_god")])


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "select id\nfrom raw.goods where (id = 1",
            r"^star/a.sql, line 2: near '1': Expecting \)$",
        ),
        ("update raw.goods set id = 1", "^star/a.sql, line 1: near 'update': "),
        ("select 1 as id; select 2 as id", "^star/a.sql: it must contain one query"),
        ("-- Nothing.", "^star/a.sql: it contains no query$"),
        ("select id from star.sold", r"^star/a reads star.sold: .* a step star/steps/sold.sql nor"),
    ],
)
def test_sql_that_cannot_be_read_is_refused_by_its_file(made: Made, sql: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        in_order([made("a", sql=sql)])


def test_a_step_that_cannot_be_read_is_refused_by_its_file(made: Made, star: Path) -> None:
    (star / "steps" / "sold.sql").write_text("select from")
    with pytest.raises(ModelError, match=r"^star/steps/sold.sql, line 1: near 'from': Expected"):
        in_order([made("a", sql="select id from star.sold")])


def test_a_query_may_end_in_a_semicolon(made: Made) -> None:
    assert made("a", sql="select id from raw.goods;\n").sql == "select id from raw.goods"


def test_a_history_and_a_table_cannot_have_one_name(made: Made, star: Path) -> None:
    (star / "steps" / "today.sql").write_text("select id from raw.goods")
    tracked = replace(made("dim_good").contract, tracked=Tracked("today", ()))
    models = models_of({"dim_good": tracked}, [RAW], star)
    with pytest.raises(
        ModelError, match=r"^star/dim_good_history is the name of both a table and a h"
    ):
        in_order([*models, made("dim_good_history")])


def test_a_contract_without_sql_is_refused(
    made: Made, star: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made("a")
    (star / "b.py").write_text("\nCONTRACT = None")
    monkeypatch.setattr(discovery, "FOLDER", star)
    with pytest.raises(
        ModelError, match=r"^star/b.py is a contract, but star/b.sql does not exist"
    ):
        discovery.discovered([RAW])


def test_sql_without_a_contract_is_told_how_to_get_one() -> None:
    with pytest.raises(ModelError, match=r"^star/nobody.sql has no contract: `make model TABLE=no"):
        discovery.contract_of("nobody")


def test_a_table_cannot_have_the_name_of_a_part_of_the_project() -> None:
    with pytest.raises(ModelError, match=r"^star/job.py defines no CONTRACT.* rename star/job.sql"):
        discovery.contract_of("job")


def test_lineage_follows_columns_whose_names_must_be_quoted(star: Path) -> None:
    raw = replace(
        RAW, table="order", columns=(Column("id", "int", ""), Column("the no.", "int", ""))
    )
    (star / "a.sql").write_text('select id, "the no." as number from raw."order"')
    columns = (Column("id", "int", ""), Column("number", "int", ""))
    contract = replace(RAW, stage="star", table="a", columns=columns)
    model = models_of({"a": contract}, [raw], star)[0]
    assert model.column_lineage["number"] == (("order", "the no."),)
    assert model.raw_columns == {("order", "id"), ("order", "the no.")}
