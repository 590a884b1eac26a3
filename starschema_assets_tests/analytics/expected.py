"""Expected results of the queries, computed in plain Python from the source's rows."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Line:
    """An order line with its order, customer and product."""

    order: int
    day: date
    customer: tuple[int, str]
    country: str
    product: tuple[str, str]
    product_line: str
    quantity: int
    price: Decimal
    buy_price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


def order_lines(connection: duckdb.DuckDBPyConnection) -> list[Line]:
    """Return every order line. Keys match as in MySQL, ignoring case and trailing spaces."""
    orders = _by_key(connection, "orders", "orderNumber")
    customers = _by_key(connection, "customers", "customerNumber")
    products = _by_key(connection, "products", "productCode")
    product_lines = _by_key(connection, "productlines", "productLine")
    lines = []
    for row in _rows(connection, "orderdetails"):
        order = orders[row["orderNumber"]]
        customer = customers[order["customerNumber"]]
        product = products[_folded(row["productCode"])]
        lines.append(
            Line(
                order=row["orderNumber"],
                day=order["orderDate"],
                customer=(customer["customerNumber"], customer["customerName"].strip()),
                country=customer["country"].strip(),
                product=(product["productCode"], product["productName"].strip()),
                product_line=product_lines[_folded(product["productLine"])]["productLine"].strip(),
                quantity=row["quantityOrdered"],
                price=row["priceEach"],
                buy_price=product["buyPrice"],
            )
        )
    return lines


def sales_by_country(lines: Sequence[Line]) -> Rows:
    groups = _grouped(lines, lambda line: line.country)
    return sorted(((key, *_sales(group)) for key, group in groups.items()), key=_largest_first)


sales_by_country_today = sales_by_country
"""Equal to sales_by_country if no customer has moved."""


def sales_by_product_line(lines: Sequence[Line]) -> Rows:
    groups = _grouped(lines, lambda line: line.product_line)
    return sorted(((key, *_sales(group)) for key, group in groups.items()), key=_largest_first)


def sales_by_month(lines: Sequence[Line]) -> Rows:
    groups = _grouped(lines, lambda line: (line.day.year, line.day.month))
    return [(*key, *_sales(groups[key])) for key in sorted(groups)]


def sales_by_month_country_and_product(lines: Sequence[Line]) -> Rows:
    """Return the expected rows. Each product line must have at most a hundred products."""
    groups = _grouped(
        lines,
        lambda line: (
            line.day.year,
            line.day.month,
            line.country,
            line.product_line,
            *line.product,
        ),
    )
    return [(*key, *_sales(groups[key])[1:]) for key in sorted(groups)]


def best_customers(lines: Sequence[Line]) -> Rows:
    rows: Rows = []
    for key, group in _grouped(lines, lambda line: line.customer).items():
        orders, _, sales = _sales(group)
        rows.append((*key, orders, max(line.day for line in group), sales))
    return sorted(rows, key=_largest_first)[:10]


def margin(lines: Sequence[Line]) -> Rows:
    rows: Rows = []
    for key, group in _grouped(lines, lambda line: line.product_line).items():
        sales = sum((line.amount for line in group), Decimal(0))
        cost = sum((line.quantity * line.buy_price for line in group), Decimal(0))
        percent = float(round(100 * (sales - cost) / sales, 1))
        rows.append((key, sales, cost, sales - cost, percent))
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def largest_quantity_by_product_line(lines: Sequence[Line]) -> Rows:
    rows: Rows = []
    for key, group in _grouped(lines, lambda line: line.product_line).items():
        most = max(line.quantity for line in group)
        largest = [line for line in group if line.quantity == most]
        rows += [(key, most, *line.product, line.order, line.day) for line in largest]
    return sorted(rows, key=lambda row: (-row[1], row[0], row[4], row[2]))


def _sales(lines: Sequence[Line]) -> tuple[int, int, Decimal]:
    """Return the number of orders, pieces, and the amount."""
    return (
        len({line.order for line in lines}),
        sum(line.quantity for line in lines),
        sum((line.amount for line in lines), Decimal(0)),
    )


def _largest_first(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sort key: the last column descending, then the first column."""
    return (-row[-1], row[0])


def _grouped(lines: Sequence[Line], key: Callable[[Line], Any]) -> dict[Any, list[Line]]:
    groups = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return groups


def _by_key(
    connection: duckdb.DuckDBPyConnection, table: str, key: str
) -> dict[Any, dict[str, Any]]:
    return {_folded(row[key]): row for row in _rows(connection, table)}


def _folded(key: Any) -> Any:
    return key.rstrip().lower() if isinstance(key, str) else key


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    relation = connection.sql(f"from raw.{table}")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
