"""Tests for the rows: size, plausibility and special cases of the real database, for each seed."""

import zlib
from datetime import date
from decimal import Decimal

import duckdb
import pytest


def test_has_the_size_of_the_real_database(any_seed: duckdb.DuckDBPyConnection) -> None:
    def count(table: str) -> int:
        return int(any_seed.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

    assert count("customers") == 122
    assert count("employees") == 23
    assert count("offices") == 7
    assert count("orders") == 326
    assert 2_800 < count("orderdetails") < 3_250
    assert 250 < count("payments") < 300
    assert count("productlines") == 7
    assert count("products") == 110


@pytest.mark.parametrize(
    "trap",
    {
        "customers without postal code": "FROM customers WHERE postalCode IS NULL",
        "a customer without postal code who orders": (
            "FROM customers JOIN orders USING (customerNumber) WHERE postalCode IS NULL"
        ),
        "a postal code of two cities in one country": (
            "FROM customers WHERE postalCode IS NOT NULL "
            "GROUP BY postalCode, country HAVING count(DISTINCT city) > 1"
        ),
        "a postal code of cities in several countries": (
            "FROM customers JOIN orders USING (customerNumber) GROUP BY postalCode "
            "HAVING count(DISTINCT country) > 1 AND count(DISTINCT city) > 1"
        ),
        "a city with several postal codes": (
            "FROM customers GROUP BY city, state, country HAVING count(DISTINCT postalCode) > 1"
        ),
        "a city's name in several states": (
            "FROM customers GROUP BY city, country HAVING count(DISTINCT state) > 1"
        ),
        "customers without state": "FROM customers WHERE state IS NULL",
        "customers with an empty state": "FROM customers WHERE state = ''",
        "customers without second address line": "FROM customers WHERE addressLine2 IS NULL",
        "customers with a second address line": "FROM customers WHERE addressLine2 IS NOT NULL",
        "customers without credit limit": "FROM customers WHERE creditLimit IS NULL",
        "customers without sales representative": (
            "FROM customers WHERE salesRepEmployeeNumber IS NULL"
        ),
        "a country with trailing spaces, that buys": (
            "FROM customers JOIN orders USING (customerNumber) WHERE country LIKE '% '"
        ),
        "a company with trailing spaces": "FROM customers WHERE customerName LIKE '% '",
        "a first name with a trailing space": "FROM customers WHERE contactFirstName LIKE '% '",
        "a name that reads like no value": "FROM customers WHERE contactLastName ILIKE 'null'",
        "double quotes in comments": "FROM orders WHERE comments LIKE '%\"%'",
        "apostrophes in comments": "FROM orders WHERE comments LIKE '%''%'",
        "line breaks in comments": "FROM orders WHERE regexp_matches(comments, '[^\\r]\\n')",
        "Windows line breaks in comments": "FROM orders WHERE contains(comments, E'\\r\\n')",
        "tabs in comments": "FROM orders WHERE contains(comments, E'\\t')",
        "backslashes at the end of comments": "FROM orders WHERE ends_with(comments, '\\')",
        "commas in comments": "FROM orders WHERE contains(comments, ',')",
        "accents in comments": "FROM orders WHERE strip_accents(comments) <> comments",
        "characters of Windows-1252 that ISO 8859-1 lacks": (
            "FROM orders WHERE contains(comments, '€')"
        ),
        "empty comments": "FROM orders WHERE comments = ''",
        "orders without comments": "FROM orders WHERE comments IS NULL",
        "a product that was never sold": (
            "FROM products WHERE lower(productCode) NOT IN "
            "(SELECT lower(productCode) FROM orderdetails)"
        ),
        "an employee who reports to nobody": "FROM employees WHERE reportsTo IS NULL",
        "product lines with HTML": "FROM productlines WHERE htmlDescription LIKE '%</%>%'",
        "product lines without HTML": "FROM productlines WHERE htmlDescription IS NULL",
        "product lines without image": "FROM productlines WHERE image IS NULL",
        "a product code in other letters than the product's": (
            "FROM orderdetails ANTI JOIN products USING (productCode)"
        ),
        "line numbers in another order than the key": (
            "FROM orderdetails a JOIN orderdetails b USING (orderNumber) "
            "WHERE a.productCode < b.productCode AND a.orderLineNumber > b.orderLineNumber"
        ),
        "deliveries after the required date": "FROM orders WHERE shippedDate > requiredDate",
    }.items(),
    ids=lambda item: item[0],
)
def test_has_the_traps_of_the_real_database(
    any_seed: duckdb.DuckDBPyConnection, trap: tuple[str, str]
) -> None:
    assert any_seed.execute(f"SELECT 1 {trap[1]} LIMIT 1").fetchall() == [(1,)]


def test_about_a_fifth_of_the_customers_never_order(any_seed: duckdb.DuckDBPyConnection) -> None:
    silent = "SELECT count(*) FROM customers ANTI JOIN orders USING (customerNumber)"
    assert any_seed.execute(silent).fetchall() == [(24,)]


def test_status_says_whether_an_order_has_a_shipping_date(
    any_seed: duckdb.DuckDBPyConnection,
) -> None:
    found = any_seed.execute("SELECT DISTINCT status, shippedDate IS NOT NULL FROM orders")
    assert set(found.fetchall()) == {
        ("Shipped", True),
        ("In Process", False),
        ("On Hold", False),
        ("Cancelled", True),
        ("Cancelled", False),
        ("Resolved", True),
        ("Resolved", False),
        ("Disputed", True),
        ("Disputed", False),
    }


def test_orders_are_numbered_by_date_over_two_and_a_half_years(
    any_seed: duckdb.DuckDBPyConnection,
) -> None:
    numbered = any_seed.execute("SELECT orderNumber, orderDate FROM orders ORDER BY 1").fetchall()
    dates = [day for _, day in numbered]
    assert [number for number, _ in numbered] == list(range(10100, 10426))
    assert dates == sorted(dates)
    assert dates[0] == date(2023, 1, 2)
    assert date(2025, 6, 15) < dates[-1] <= date(2025, 6, 30)


def test_november_sells_most(any_seed: duckdb.DuckDBPyConnection) -> None:
    busiest = (
        "SELECT month(orderDate) FROM orders WHERE year(orderDate) = 2024 "
        "GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    assert any_seed.execute(busiest).fetchall() == [(11,)]


def test_every_country_sells_and_the_usa_most(any_seed: duckdb.DuckDBPyConnection) -> None:
    sales = any_seed.execute(
        "SELECT rtrim(country), sum(quantityOrdered * priceEach) AS amount FROM customers "
        "LEFT JOIN orders USING (customerNumber) LEFT JOIN orderdetails USING (orderNumber) "
        "GROUP BY 1 ORDER BY 2 DESC"
    ).fetchall()
    assert sales[0][0] == "USA"
    assert all(amount > 0 for _, amount in sales)
    assert {country for country, _ in sales} > {
        "France", "Spain", "Australia", "Norway", "UK", "Germany", "Japan", "Singapore",
        "New Zealand", "Finland",
    }  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    {
        "required before ordered": "FROM orders WHERE requiredDate < orderDate",
        "shipped before ordered": "FROM orders WHERE shippedDate < orderDate",
        "price outside cost and MSRP": (
            "FROM orderdetails d JOIN products p ON lower(p.productCode) = lower(d.productCode) "
            "WHERE priceEach NOT BETWEEN buyPrice AND MSRP"
        ),
        "quantity of nothing": "FROM orderdetails WHERE quantityOrdered < 1",
        "line numbers with gaps": (
            "FROM orderdetails GROUP BY orderNumber HAVING max(orderLineNumber) <> count(*) "
            "OR count(DISTINCT orderLineNumber) <> count(*) OR min(orderLineNumber) <> 1"
        ),
        "order without lines": "FROM orders ANTI JOIN orderdetails USING (orderNumber)",
        "line without order": "FROM orderdetails ANTI JOIN orders USING (orderNumber)",
        "order of nobody": "FROM orders ANTI JOIN customers USING (customerNumber)",
        "payment of nobody": "FROM payments ANTI JOIN customers USING (customerNumber)",
        "line of no product": (
            "FROM orderdetails d "
            "ANTI JOIN products p ON lower(rtrim(p.productCode)) = lower(rtrim(d.productCode))"
        ),
        "product of no line": "FROM products ANTI JOIN productlines USING (productLine)",
        "customer of no employee": (
            "FROM customers c ANTI JOIN employees e ON employeeNumber = salesRepEmployeeNumber "
            "WHERE salesRepEmployeeNumber IS NOT NULL"
        ),
        "employee of no office": "FROM employees ANTI JOIN offices USING (officeCode)",
        "employee of no manager": (
            "FROM employees e ANTI JOIN employees m ON e.reportsTo = m.employeeNumber "
            "WHERE e.reportsTo IS NOT NULL"
        ),
        "a key that is one to MySQL": (
            "FROM orderdetails GROUP BY orderNumber, lower(productCode) HAVING count(*) > 1"
        ),
        "a template's unfilled place": (
            "FROM customers WHERE concat_ws(' ', *COLUMNS(*)) LIKE '%{%'"
        ),
    }.items(),
    ids=lambda item: item[0],
)
def test_is_consistent(any_seed: duckdb.DuckDBPyConnection, broken: tuple[str, str]) -> None:
    assert any_seed.execute(f"SELECT 1 {broken[1]} LIMIT 1").fetchall() == []


def test_the_price_of_a_product_varies_to_the_cent(any_seed: duckdb.DuckDBPyConnection) -> None:
    prices = "SELECT DISTINCT count(DISTINCT priceEach) > 5 FROM orderdetails GROUP BY productCode"
    often = prices + " HAVING count(*) > 15"
    assert any_seed.execute(often).fetchall() == [(True,)]
    odd = any_seed.execute("SELECT count(DISTINCT priceEach % 1) FROM orderdetails").fetchall()
    assert odd == [(100,)]


def test_a_payment_is_the_sum_of_an_order(any_seed: duckdb.DuckDBPyConnection) -> None:
    unexplained = any_seed.execute(
        "FROM payments ANTI JOIN ("
        "SELECT customerNumber, sum(quantityOrdered * priceEach) AS amount FROM orders "
        "JOIN orderdetails USING (orderNumber) GROUP BY customerNumber, orderNumber"
        ") USING (customerNumber, amount)"
    ).fetchall()
    assert unexplained == []


def test_money_is_decimal(any_seed: duckdb.DuckDBPyConnection) -> None:
    ((total,),) = any_seed.execute(
        "SELECT sum(quantityOrdered * priceEach) FROM orderdetails"
    ).fetchall()
    assert isinstance(total, Decimal)
    assert Decimal(8_000_000) < total < Decimal(13_000_000)


def test_images_are_whole_png_files(any_seed: duckdb.DuckDBPyConnection) -> None:
    images = any_seed.execute("SELECT image FROM productlines WHERE image IS NOT NULL").fetchall()
    assert len({image for (image,) in images}) == 5
    for (image,) in images:
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        position, kinds = 8, []
        while position < len(image):
            length = int.from_bytes(image[position : position + 4])
            body = image[position + 4 : position + 8 + length]
            checksum = int.from_bytes(image[position + 8 + length : position + 12 + length])
            assert zlib.crc32(body) == checksum
            kinds.append(body[:4])
            position += 12 + length
        assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_texts_fit_latin1_as_mysql_understands_it(any_seed: duckdb.DuckDBPyConnection) -> None:
    for table in ("customers", "employees", "offices", "orders", "productlines", "products"):
        for row in any_seed.execute(f"SELECT * FROM {table}").fetchall():
            for value in row:
                if isinstance(value, str):
                    assert value.encode("cp1252").decode("cp1252") == value
