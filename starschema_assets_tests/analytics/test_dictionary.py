"""Tests for the data dictionary in docs/."""

from starschema_assets.analytics.dictionary import FILE, dictionary
from starschema_assets.analytics.query import questions
from starschema_assets.star.models import MODELS


def test_the_page_in_docs_is_what_the_contracts_say_now() -> None:
    assert FILE.read_text(encoding="utf-8") == dictionary(), "stale: run `make docs`"


def test_every_column_and_every_question_is_in_it() -> None:
    page = dictionary()
    for model in MODELS:
        for column in model.contract.columns:
            assert f"| `{column.name}` | {column.type} |" in page
    assert all(f"### {name}\n" in page for name in questions())


def test_an_amount_says_its_unit_and_where_it_comes_from() -> None:
    (line,) = (row for row in dictionary().splitlines() if row.startswith("| `orderAmount`"))
    assert "| USD |" in line
    assert "`orderdetails.priceEach`, `orderdetails.quantityOrdered`" in line
