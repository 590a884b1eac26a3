"""Tests for the query command and its function, on the embedded catalog."""

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from starschema_assets.analytics.answer import QueryError
from starschema_assets.analytics.query import query, questions, read
from starschema_assets.settings import CHECKOUT, Settings
from starschema_assets_tests.analytics.conftest import Star, catalog_of


@pytest.fixture
def settings(star: Star, tmp_path: Path) -> Settings:
    """Settings with an embedded catalog that contains the star."""
    return Settings(catalog=catalog_of(star, tmp_path / "it's a catalog.duckdb"))


def run(settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"STARSCHEMA_CATALOG": str(settings.catalog)}
    return subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def ask(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    module = "starschema_assets.analytics.query"
    return run(settings, sys.executable, "-m", module, *arguments)


def test_the_answer_is_an_arrow_table_of_exact_values(settings: Settings) -> None:
    answer = query(
        "select orderAmount, orderDate, shippedDate from fact_orders order by orderAmount desc "
        "limit 1",
        settings,
    )
    assert answer.table.to_pylist() == [
        {"orderAmount": Decimal("60.30"), "orderDate": date(2024, 1, 31), "shippedDate": None}
    ]
    assert answer.table.schema.field("orderAmount").type == pa.decimal128(20, 2)
    assert answer.seconds > 0
    assert answer.scanned is None
    assert answer.cost is None


def test_without_a_catalog_the_error_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="does not exist yet: `make run` creates it"):
        query("select 1", Settings(catalog=tmp_path / "none.duckdb"))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select colour from fact_orders", "colour"),
        ("select * from fact_order", "fact_orders"),
        ("selekt 1", "syntax error"),
        ("drop table fact_orders", "read-only"),
    ],
)
def test_the_engine_says_what_is_wrong_with_the_sql(
    settings: Settings, sql: str, reason: str
) -> None:
    with pytest.raises(QueryError, match=f"(?s)catalog.duckdb failed: .*{reason}"):
        query(sql, settings)


def test_the_command_prints_a_table_and_what_it_took(settings: Settings) -> None:
    done = ask(settings, "select productCode, null as nothing, 0.10 as dime from dim_products")
    assert done.stderr == ""
    assert "│ A1            │      NULL │   0.10 │" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("4 rows, 0.")
    assert done.returncode == 0


def test_every_row_of_a_usual_answer_is_printed(settings: Settings) -> None:
    done = ask(settings, "select range as n from range(10000, 10900)")
    assert all(f" {n} │" in done.stdout for n in range(10000, 10900))


def test_a_huge_answer_is_cut_and_says_so(settings: Settings) -> None:
    done = ask(settings, "select range as n from range(10000, 90000)")
    assert " 10000 │" in done.stdout
    assert " 10999 │" in done.stdout
    assert " 11000 │" not in done.stdout
    assert "80000 rows (showing the first 1000)" in done.stdout.splitlines()[-1]


def test_the_command_takes_a_file(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "question.sql"
    file.write_text("-- mine\nselect 'été' as season;\n", encoding="utf-8")
    assert "été" in ask(settings, f"@{file}").stdout


def test_the_command_takes_the_name_of_a_question(settings: Settings) -> None:
    assert "│ Norway" in ask(settings, "sales_by_country").stdout


def test_an_error_is_one_message_without_a_traceback(settings: Settings) -> None:
    done = ask(settings, "select colour from fact_orders")
    assert done.returncode == 1
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_make_passes_sql_on_as_it_was_typed(settings: Settings) -> None:
    sql = r"""select 'it''s $1 $(shell x) `y` \ #' as "a ""b", customerName
from dim_customers"""
    done = run(settings, "make", "-s", "-o", ".venv/installed", "query", f"SQL={sql}")
    assert done.stderr == ""
    assert "it's $1 $(shell x) `y` \\ #" in done.stdout
    assert 'a "b' in done.stdout
    assert "Nor'way" in done.stdout


@pytest.mark.parametrize("argument", ["sales_by_contry", "", " "])
def test_what_is_no_sql_is_told_which_questions_there_are(argument: str) -> None:
    with pytest.raises(
        QueryError, match=r"neither SQL nor the name of a query: .*best_customers.*margin"
    ):
        read(argument)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match=r"absent\.sql can't be read: .*No such file"):
        read(f"@{tmp_path / 'absent.sql'}")


def test_a_question_is_read_by_its_name() -> None:
    assert read("margin") == questions()["margin"].read_text(encoding="utf-8")


def test_the_embedded_catalog_needs_no_aws_library(settings: Settings) -> None:
    code = (
        "import sys; from starschema_assets.analytics import query as q; "
        "q.query('select 1', q.Settings()); "
        "print([name for name in ('boto3', 'botocore', 'pyathena') if name in sys.modules])"
    )
    assert run(settings, sys.executable, "-c", code).stdout.strip() == "[]"
