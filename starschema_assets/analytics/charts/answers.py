"""Draws the chart of each query: converts the result's rows to the plot's data."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from starschema_assets.analytics.charts.plots import by_year, ranked
from starschema_assets.analytics.charts.theme import html_of

Rows = Sequence[Mapping[str, Any]]


def _bars(rows: Rows, title: str, label: str, value: str, of: str = "Sales (USD)") -> str:
    bars = [
        {"place": place, "label": row[label], "value": float(row[value])}
        for place, row in enumerate(rows)
    ]
    return html_of(ranked(title, of=of), bars)


def _sales_by_month(rows: Rows) -> str:
    points = [
        {
            "year": row["year"],
            "month": row["month"],
            "name": date(row["year"], row["month"], 1).strftime("%b"),
            "value": float(row["sales"]),
        }
        for row in rows
    ]
    return html_of(by_year("Sales by month", "One line per year"), points)


def _margin(rows: Rows) -> str:
    bars = [
        {
            "place": place,
            "label": row["productLine"],
            "value": float(row["sales"]),
            "part": float(row["margin"]),
            "note": "" if row["marginPercent"] is None else f" · {row['marginPercent']:.1f} %",
        }
        for place, row in enumerate(rows)
    ]
    subtitle = "The dark part of a bar is the margin; the figure shows sales and margin in percent"
    return html_of(ranked("Margin by product line", subtitle, parts=True), bars)


def _largest_quantity(rows: Rows) -> str:
    """Return one bar per product line, even if several order lines have the largest quantity."""
    largest = {row["productLine"]: row for row in rows}
    return _bars(
        list(largest.values()),
        "Largest quantity in one order line",
        "productLine",
        "quantityOrdered",
        of="Pieces",
    )


CHARTS: Mapping[str, Callable[[Rows], str]] = {
    "sales_by_country": lambda rows: _bars(rows, "Sales by country", "country", "sales"),
    "sales_by_product_line": lambda rows: _bars(
        rows, "Sales by product line", "productLine", "sales"
    ),
    "sales_by_month": _sales_by_month,
    "best_customers": lambda rows: _bars(rows, "Best customers", "customerName", "sales"),
    "margin": _margin,
    "largest_quantity_by_product_line": _largest_quantity,
}
"""Functions that return a chart's HTML, by query. The page must include `page_head`."""
