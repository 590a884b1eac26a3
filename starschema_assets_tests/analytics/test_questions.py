"""Tests for the project's queries: their results, and that Athena accepts their SQL."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import sqlglot
from sqlglot.optimizer.qualify import qualify
from trino_sql_validator import validate

from starschema_assets.analytics.query import questions
from starschema_assets.sample.generate import generate
from starschema_assets.star.models import MODELS
from starschema_assets_tests.analytics import expected
from starschema_assets_tests.analytics.conftest import Star, star_of
from starschema_assets_tests.analytics.expected import order_lines
from starschema_assets_tests.rows import RawTables

ANSWERS: dict[str, list[tuple[object, ...]]] = {
    "sales_by_country": [
        ("France", 2, 9, Decimal("94.30")),
        ("Norway", 1, 3, Decimal("6.75")),
    ],
    "sales_by_country_today": [
        ("France", 2, 9, Decimal("94.30")),
        ("Norway", 1, 3, Decimal("6.75")),
    ],
    "sales_by_product_line": [
        ("Trains", 2, 6, Decimal("67.05")),
        ("Ships", 2, 6, Decimal("34.00")),
    ],
    "sales_by_month": [
        (2024, 1, 2, 11, Decimal("97.05")),
        (2025, 1, 1, 1, Decimal("4.00")),
    ],
    "best_customers": [
        (1, "Atelier", 2, date(2025, 1, 15), Decimal("94.30")),
        (2, "Nor'way", 1, date(2024, 1, 1), Decimal("6.75")),
    ],
    "margin": [
        ("Trains", Decimal("67.05"), Decimal("33.30"), Decimal("33.75"), 50.3),
        ("Ships", Decimal("34.00"), Decimal("30.00"), Decimal("4.00"), 11.8),
    ],
    "sales_by_month_country_and_product": [
        (2024, 1, "France", "Ships", "B1", "b1", 5, Decimal("30.00")),
        (2024, 1, "France", "Trains", "A1", "a1", 3, Decimal("60.30")),
        (2024, 1, "Norway", "Trains", "A2", "a2", 3, Decimal("6.75")),
        (2025, 1, "France", "Ships", "B1", "b1", 1, Decimal("4.00")),
    ],
    "largest_quantity_by_product_line": [
        ("Ships", 5, "B1", "b1", 10, date(2024, 1, 31)),
        ("Trains", 3, "A1", "a1", 10, date(2024, 1, 31)),
        ("Trains", 3, "A2", "a2", 11, date(2024, 1, 1)),
    ],
}
"""Expected results for the raw tables of conftest.py, computed by hand."""


@pytest.mark.parametrize("question", questions())
def test_trino_parses_the_question(question: str) -> None:
    result = validate(questions()[question].read_text(encoding="utf-8"))
    assert result.error is None
    assert result.statement_count == 1
    assert result.warnings == ()


@pytest.mark.parametrize(
    "sql",
    [
        "select 1::int",
        "select a from t group by all",
        "select a from t qualify rank() over (order by a) = 1",
        "select strftime(d, '%Y') from t",
        "pivot t on a using sum(b)",
    ],
)
def test_what_only_duckdb_understands_would_be_noticed(sql: str) -> None:
    """Some syntax isn't detected: the parser also accepts `from t` and `select * exclude (a)`."""
    result = validate(sql)
    assert not result.valid or result.warnings


@pytest.mark.parametrize("question", questions())
def test_every_column_of_the_question_is_one_of_the_star(question: str) -> None:
    """Names are resolved like in Athena: ignoring case, without quotes."""
    contracts = [model.contract for model in MODELS]
    schema: dict[str, object] = {
        contract.table: {column.name: column.type for column in contract.columns}
        for contract in contracts
    }
    sql = questions()[question].read_text(encoding="utf-8")
    assert '"' not in sql
    tree = qualify(sqlglot.parse_one(sql, dialect="athena"), schema=schema, dialect="athena")
    used = {table.name for table in tree.find_all(sqlglot.exp.Table)}
    assert "fact_orders" in used


@pytest.mark.parametrize("question", questions())
def test_the_answer_is_the_one_computed_by_hand(star: Star, question: str) -> None:
    assert star.answer(question) == ANSWERS[question]


@pytest.mark.parametrize("question", questions())
def test_an_empty_star_has_empty_answers(question: str) -> None:
    assert Star(RawTables().connection).answer(question) == []


def test_equal_customers_are_ranked_by_number_and_ten_are_the_best(raw: RawTables) -> None:
    raw.connection.execute("delete from raw.orders; delete from raw.orderdetails")
    numbers = range(20, 32)
    raw.add("customers", *({"customerNumber": number} for number in numbers))
    raw.add("orders", *({"orderNumber": n, "customerNumber": n} for n in reversed(numbers)))
    raw.add("orderdetails", *({"orderNumber": number} for number in numbers))
    answer = Star(raw.connection).answer("best_customers")
    assert [row[0] for row in answer] == list(range(20, 30))


def test_what_was_given_away_has_a_margin_but_no_percentage(raw: RawTables) -> None:
    raw.connection.execute("update raw.orderdetails set priceEach = 0")
    answer = Star(raw.connection).answer("margin")
    assert answer == [
        ("Ships", Decimal("0.00"), Decimal("30.00"), Decimal("-30.00"), None),
        ("Trains", Decimal("0.00"), Decimal("33.30"), Decimal("-33.30"), None),
    ]


def test_products_beyond_the_hundred_best_of_a_line_are_one(raw: RawTables) -> None:
    codes = [f"T{number:03}" for number in range(150)]
    raw.add("products", *({"productCode": code, "productLine": "Trains"} for code in codes))
    raw.add(
        "orderdetails",
        *(
            {
                "orderNumber": 12,
                "orderLineNumber": place,
                "productCode": code,
                "quantityOrdered": 1,
                "priceEach": Decimal(1000 - place),
            }
            for place, code in enumerate(codes)
        ),
    )
    answer = Star(raw.connection).answer("sales_by_month_country_and_product")
    trains = [row for row in answer if row[:4] == (2025, 1, "France", "Trains")]
    assert {row[4] for row in trains} == {*codes[:100], None}
    assert [row[6:] for row in trains if row[5] is None] == [
        (50, sum(Decimal(1000 - place) for place in range(100, 150)))
    ]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Star]:
    """The star of the sample database."""
    file = tmp_path_factory.mktemp("sample") / "sample.duckdb"
    generate(file)
    with star_of(file) as star:
        yield star


@pytest.mark.parametrize("question", questions())
def test_the_answer_on_the_sample_is_the_one_computed_from_its_source(
    sample: Star, question: str
) -> None:
    answer = sample.answer(question)
    assert answer == getattr(expected, question)(order_lines(sample.connection))
    assert len(answer) > 5
