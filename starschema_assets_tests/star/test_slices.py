"""A table that is built in slices equals the table that one query builds."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import pytest

from starschema_assets import engine
from starschema_assets.star.models import MODELS
from starschema_assets_tests.rows import RawTables

FACT = MODELS[-1]

Make = Callable[[str], list[Mapping[str, object]]]


def sliced(raw: RawTables) -> list[dict[str, object]]:
    """Return the rows of the fact, built in slices."""
    lines = len(raw.connection.sql("from raw.orderdetails"))
    rows: list[dict[str, object]] = (
        engine.rows_of(FACT, raw.connection, lines).read_all().to_pylist()
    )
    return rows


def add_orders(raw: RawTables, *days: int) -> None:
    """Add one order per given day, numbered in another order, and a line without an order."""
    for number, day in enumerate(days):
        order = {"orderNumber": number, "orderDate": date(2025, 1, 1) + timedelta(days=day)}
        raw.add("orders", order)
        raw.add("orderdetails", {"orderNumber": number, "orderLineNumber": 2})
        raw.add("orderdetails", {"orderNumber": number, "orderLineNumber": 1})
    raw.add("orderdetails", {"orderNumber": len(days)})


@pytest.mark.parametrize("rows", [1, 3, 4, 1_000])
@pytest.mark.parametrize("days", [(5, 1, 3, 2, 2, 9), (4, 4, 4)])
def test_slices_hold_every_row_once_and_in_order(
    raw: RawTables, made: Make, monkeypatch: pytest.MonkeyPatch, rows: int, days: tuple[int, ...]
) -> None:
    add_orders(raw, *days)
    whole = made("fact_orders")
    assert len(whole) == 2 * len(days) + 1
    monkeypatch.setattr(engine, "SLICE_ROWS", rows)
    assert sliced(raw) == whole


def test_a_line_is_kept_where_no_order_has_a_date(
    raw: RawTables, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made("fact_orders")
    raw.add("orderdetails", {})
    monkeypatch.setattr(engine, "SLICE_ROWS", 1)
    (row,) = sliced(raw)
    assert row["orderDate"] is None
