"""Builds the compact dataset that the dashboard aggregates in the browser."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

QUESTION = "sales_by_month_country_and_product"

Row = Mapping[str, Any]


def cube_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the result of QUESTION by columns.

    Countries, lines and products are indexes into lists of names, months count from the first one,
    and sales are in cents, which a browser adds up exactly up to 90 trillion USD.
    """
    months = _every_month(row["year"] * 12 + row["month"] - 1 for row in rows)
    countries = sorted({row["country"] for row in rows})
    lines = sorted({row["productLine"] for row in rows})
    products = sorted({_product(row) for row in rows})
    places = {
        "country": {name: place for place, name in enumerate(countries)},
        "line": {name: place for place, name in enumerate(lines)},
        "product": {name: place for place, name in enumerate(products)},
    }
    first = months[0] if months else 0
    return {
        "months": [f"{month // 12}-{month % 12 + 1:02}" for month in months],
        "countries": countries,
        "lines": lines,
        "products": [name for _, _, name in products],
        "lineOf": [places["line"][line] for line, _, _ in products],
        "month": [row["year"] * 12 + row["month"] - 1 - first for row in rows],
        "country": [places["country"][row["country"]] for row in rows],
        "product": [places["product"][_product(row)] for row in rows],
        "cents": [int(row["sales"] * 100) for row in rows],
        "pieces": [int(row["pieces"]) for row in rows],
    }


def _product(row: Row) -> tuple[str, str, str]:
    """Return product line, code and name. A row without a code is all other products of a line."""
    code = row["productCode"]
    return (
        row["productLine"],
        code or "",
        row["productName"] if code else f"All other {row['productLine']}",
    )


def _every_month(months: Iterable[int]) -> range:
    found = set(months)
    return range(min(found), max(found) + 1) if found else range(0)
