"""Formats a query result as an HTML table: money with cents, column names in words."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from html import escape

CENTS = -2
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_money(value: object) -> bool:
    """Return whether a value is money. In query results, only money has two decimals."""
    return isinstance(value, Decimal) and value.as_tuple().exponent == CENTS


def html_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the rows as an HTML table."""
    if not rows:
        return '<p class="empty">No rows.</p>'
    names = list(rows[0])
    amounts = {name for name in names if any(is_money(row[name]) for row in rows)}
    numbers = {name for name in names if all(_is_number(row[name]) for row in rows)}

    def cells(tag: str, values: Mapping[str, str]) -> str:
        return "".join(
            f"<{tag}{' class=number' if name in numbers else ''}>{escape(values[name])}</{tag}>"
            for name in names
        )

    head = {name: heading(name) + (" (USD)" if name in amounts else "") for name in names}
    body = ({name: written(name, row[name]) for name in names} for row in rows)
    return (
        '<div class="table"><table><thead><tr>'
        + cells("th", head)
        + "</tr></thead><tbody>"
        + "".join(f"<tr>{cells('td', row)}</tr>" for row in body)
        + "</tbody></table></div>"
    )


def heading(column: str) -> str:
    """Return a column's name in words: `Margin percent` for `marginPercent`."""
    return _WORDS.sub(" ", column).capitalize()


def written(column: str, value: object) -> str:
    """Return a value as text in English notation."""
    if value is None:
        return "NULL"
    if is_money(value):
        return f"${value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}{' %' if column.endswith('Percent') else ''}"
    # Counts get thousands separators; identifiers and years, such as 10104 or 2024, don't.
    if isinstance(value, int | Decimal) and not is_name(column):
        return f"{value:,}"
    return value.isoformat() if isinstance(value, date) else str(value)


def is_name(column: str) -> bool:
    """Return whether a column's numbers are identifiers, years or months, not counts."""
    return column.endswith("Number") or column in {"year", "month"}


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | float | Decimal)
