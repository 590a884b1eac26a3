"""The figures that the dashboard adds up."""

from decimal import Decimal

from starschema_assets.analytics.charts.cube import QUESTION, cube_of
from starschema_assets.analytics.charts.theme import script_json
from starschema_assets_tests.analytics.test_questions import ANSWERS

NAMES = ("year", "month", "country", "productLine", "productCode", "productName", "pieces", "sales")


def rows(*more: tuple[object, ...]) -> list[dict[str, object]]:
    return [dict(zip(NAMES, row, strict=True)) for row in [*ANSWERS[QUESTION], *more]]


def test_money_is_whole_cents_and_no_cell_is_lost() -> None:
    cube = cube_of(rows())
    assert cube["cents"] == [3000, 6030, 675, 400]
    assert cube["pieces"] == [5, 3, 3, 1]
    assert [cube["countries"][place] for place in cube["country"]] == [
        "France",
        "France",
        "Norway",
        "France",
    ]


def test_months_without_sales_are_there_so_that_a_line_shows_the_gap() -> None:
    cube = cube_of(rows())
    assert (cube["months"][0], cube["months"][-1], len(cube["months"])) == (
        "2024-01",
        "2025-01",
        13,
    )
    assert cube["month"] == [0, 0, 0, 12]


def test_the_rest_of_a_line_is_named_after_it() -> None:
    cube = cube_of(rows((2025, 1, "France", "Ships", None, None, 1, Decimal("0.10"))))
    assert "All other Ships" in cube["products"]


def test_no_sales_at_all_are_an_empty_cube() -> None:
    assert cube_of([])["months"] == []


def test_text_can_not_end_the_script_that_holds_it() -> None:
    assert "<" not in script_json({"name": "</script><img src=x onerror=alert(1)>"})
