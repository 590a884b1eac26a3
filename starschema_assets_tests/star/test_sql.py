"""The results of the star's SQL for special cases of the source."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from starschema_assets_tests.rows import RawTables

Make = Callable[[str], list[Mapping[str, object]]]


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def location_key(*attributes: str | None) -> str:
    """Compute the location key as documented in dim_locations."""
    return md5("|".join("-" if value is None else md5(value) for value in attributes))


def test_a_fact_row_carries_what_its_order_line_says(raw: RawTables, made: Make) -> None:
    raw.add("customers", {"customerNumber": 7, "city": "Nantes", "country": "France"})
    raw.add("products", {"productCode": "S1", "buyPrice": Decimal("5.10"), "MSRP": Decimal("9.99")})
    raw.add("orders", {"orderNumber": 3, "customerNumber": 7, "comments": "l'été"})
    raw.add(
        "orderdetails",
        {
            "orderNumber": 3,
            "orderLineNumber": 2,
            "productCode": "S1",
            "quantityOrdered": 3,
            "priceEach": Decimal("33.33"),
        },
    )
    assert made("fact_orders") == [
        {
            "orderNumber": 3,
            "orderLineNumber": 2,
            "customerNumber": 7,
            "customerVersion": 1,
            "productCode": "S1",
            "productVersion": 1,
            "locationKey": location_key(None, "Nantes", None, "France"),
            "orderDate": date(2024, 2, 29),
            "requiredDate": date(2024, 2, 29),
            "shippedDate": None,
            "status": "x",
            "comments": "l'été",
            "quantityOrdered": 3,
            "priceEach": Decimal("33.33"),
            "orderAmount": Decimal("99.99"),
            "buyPrice": Decimal("5.10"),
            "MSRP": Decimal("9.99"),
        }
    ]


def test_an_amount_of_the_largest_quantity_and_price_is_exact(raw: RawTables, made: Make) -> None:
    largest = {"quantityOrdered": 2**31 - 1, "priceEach": Decimal("99999999.99")}
    raw.add("orderdetails", largest)
    (row,) = made("fact_orders")
    assert row["orderAmount"] == (2**31 - 1) * Decimal("99999999.99")


def test_cities_that_share_a_postal_code_do_not_multiply_order_lines(
    raw: RawTables, made: Make
) -> None:
    raw.add(
        "customers",
        {"customerNumber": 1, "postalCode": "94217", "city": "Burlingame"},
        {"customerNumber": 2, "postalCode": "94217", "city": "San Francisco"},
        {"customerNumber": 3, "postalCode": None, "city": "San Francisco"},
    )
    raw.add("products", {"productCode": "x"})
    raw.add("orders", *({"orderNumber": n, "customerNumber": n} for n in (1, 2, 3)))
    raw.add("orderdetails", *({"orderNumber": n} for n in (1, 2, 3)))
    fact = made("fact_orders")
    assert [row["orderNumber"] for row in fact] == [1, 2, 3]
    cities = {row["locationKey"]: row["city"] for row in made("dim_locations")}
    assert [cities[row["locationKey"]] for row in fact] == [
        "Burlingame",
        "San Francisco",
        "San Francisco",
    ]


def test_null_and_empty_attributes_are_different_locations(raw: RawTables, made: Make) -> None:
    raw.add(
        "customers",
        *(
            {"customerNumber": number, "state": state, "postalCode": postal_code}
            for number, (state, postal_code) in enumerate(
                [(None, "a"), ("", "a"), ("a", None), ("a", ""), ("-", "a"), (None, "a")]
            )
        ),
    )
    keys = {row["locationKey"] for row in made("dim_locations")}
    assert keys == {
        location_key(postal_code, "x", state, "x")
        for postal_code, state in [("a", None), ("a", ""), (None, "a"), ("", "a"), ("a", "-")]
    }
    assert len(keys) == 5


def test_spaces_around_an_attribute_do_not_make_another_location(
    raw: RawTables, made: Make
) -> None:
    raw.add(
        "customers",
        {"customerNumber": 1, "country": "Norway  "},
        {"customerNumber": 2, "country": "Norway"},
    )
    assert [row["country"] for row in made("dim_locations")] == ["Norway"]


def test_a_product_code_that_differs_in_case_or_trailing_spaces_finds_its_product(
    raw: RawTables, made: Make
) -> None:
    raw.add("products", {"productCode": "S10_1678"})
    raw.add("orderdetails", {"orderLineNumber": 1, "productCode": "s10_1678"})
    raw.add("orderdetails", {"orderLineNumber": 2, "productCode": "S10_1678  "})
    rows = made("fact_orders")
    assert [row["productCode"] for row in rows] == ["S10_1678", "S10_1678"]
    assert [row["MSRP"] for row in rows] == [Decimal("1.00")] * 2


def test_products_that_differ_in_case_alone_are_not_confused(raw: RawTables, made: Make) -> None:
    raw.add("products", {"productCode": "a", "MSRP": 1}, {"productCode": "A", "MSRP": 2})
    raw.add("orderdetails", {"orderLineNumber": 1, "productCode": "A"})
    raw.add("orderdetails", {"orderLineNumber": 2, "productCode": "A "})
    rows = made("fact_orders")
    assert [(row["productCode"], row["MSRP"]) for row in rows] == [("A", 2), ("A ", None)]


def test_an_order_line_without_order_customer_or_product_is_kept(
    raw: RawTables, made: Make
) -> None:
    raw.add("orders", {"orderNumber": 1, "customerNumber": 9})
    raw.add("orderdetails", {"orderNumber": 1}, {"orderNumber": 2})
    rows = made("fact_orders")
    assert [(row["orderNumber"], row["customerNumber"]) for row in rows] == [(1, 9), (2, None)]
    assert {row["locationKey"] for row in rows} == {None}


def test_customers_without_orders_and_unsold_products_are_in_their_dimensions(
    raw: RawTables, made: Make
) -> None:
    raw.add("customers", {"customerNumber": 5, "contactFirstName": "Carine "})
    raw.add("products", {"productCode": "S1", "productLine": "Trains"})
    assert [row["contactFirstName"] for row in made("dim_customers")] == ["Carine"]
    (product,) = made("dim_products")
    assert (product["productLine"], product["productLineDescription"]) == ("Trains", None)


def test_a_product_line_is_spelled_as_in_productlines(raw: RawTables, made: Make) -> None:
    raw.add("productlines", {"productLine": "Classic Cars", "textDescription": " Old. "})
    raw.add("products", {"productCode": "S1", "productLine": "classic cars "})
    (product,) = made("dim_products")
    assert product["productLine"] == "Classic Cars"
    assert product["productLineDescription"] == "Old."


def test_the_calendar_covers_whole_years_of_every_date(raw: RawTables, made: Make) -> None:
    raw.add(
        "orders",
        {
            "orderDate": date(2003, 12, 30),
            "requiredDate": date(2004, 1, 5),
            "shippedDate": date(2002, 6, 1),  # a wrong date also needs a row in dim_dates
        },
    )
    rows = made("dim_dates")
    days = [date(2002, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]
    assert [row["date"] for row in rows] == days
    for row, day in zip(rows, days, strict=True):
        iso = day.isocalendar()
        assert row == {
            "date": day,
            "year": day.year,
            "quarter": (day.month + 2) // 3,
            "month": day.month,
            "monthName": day.strftime("%B"),
            "day": day.day,
            "weekday": iso.weekday,
            "weekdayName": day.strftime("%A"),
            "isoWeek": iso.week,
            "isWeekend": iso.weekday > 5,
        }


def test_no_orders_make_an_empty_calendar(made: Make) -> None:
    assert made("dim_dates") == []
