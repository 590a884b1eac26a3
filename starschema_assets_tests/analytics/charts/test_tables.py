"""How values are written for readers."""

from datetime import date
from decimal import Decimal

import pytest

from starschema_assets.analytics.charts.tables import html_table, written


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("sales", Decimal("3273280.05"), "$3,273,280.05"),
        ("sales", Decimal("0.00"), "$0.00"),
        ("pieces", Decimal(105516), "105,516"),
        ("orders", 1234, "1,234"),
        ("orderNumber", 10104, "10104"),
        ("year", 2024, "2024"),
        ("marginPercent", 39.8, "39.8 %"),
        ("lastOrder", date(2024, 2, 29), "2024-02-29"),
        ("state", None, "NULL"),
    ],
)
def test_a_value_is_written_as_readers_expect_it(column: str, value: object, text: str) -> None:
    assert written(column, value) == text


def test_money_is_marked_in_the_heading_and_names_are_words() -> None:
    table = html_table([{"productLine": "Ships", "sales": Decimal("1.50")}])
    assert "<th>Product line</th>" in table
    assert "<th class=number>Sales (USD)</th>" in table


def test_text_is_text_whatever_it_holds() -> None:
    assert "&lt;script&gt;" in html_table([{"name": "<script>"}])


def test_no_rows_are_said_to_be_none() -> None:
    assert "No rows" in html_table([])
