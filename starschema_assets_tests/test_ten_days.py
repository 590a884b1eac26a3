"""Tests ten days of a shop on a real server, against an oracle that keeps each day's database."""

import logging
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dagster import DagsterInstance
from sqlalchemy import create_engine

from starschema_assets.analytics.query import questions
from starschema_assets.restore import restore
from starschema_assets.settings import CHECKOUT
from starschema_assets.source.mysql import MySQL
from starschema_assets_tests.analytics import expected
from starschema_assets_tests.analytics.expected import Line
from starschema_assets_tests.clock import set_clock
from starschema_assets_tests.conftest import Sales, on_both
from starschema_assets_tests.faults.points import Point
from starschema_assets_tests.faults.processes import refreshing
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline

LOG = logging.getLogger(__name__)
KEYS = {
    "customers": "customerNumber",
    "products": "productCode",
    "productlines": "productLine",
    "orders": "orderNumber",
}

Row = Mapping[Any, Any]
Database = Mapping[str, Mapping[Any, Row]]
"""The rows of each table by key; keys are normalized like in MySQL's collation."""


def day(number: int) -> date:
    """Return the date of a day. Before the tenth there is a date without a refresh."""
    return date(2026, 1, 4 + number + (number == 10))


def read(url: str) -> Database:
    """Read the current database, without the pipeline."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found: dict[str, dict[Any, Row]] = {}
        for table in (*KEYS, "orderdetails"):
            rows = connection.exec_driver_sql(f"select * from {table}").mappings().all()
            key = KEYS.get(table)
            found[table] = {
                folded(row[key]) if key else place: row for place, row in enumerate(rows)
            }
    engine.dispose()
    return found


def folded(key: Any) -> Any:
    """Normalize a key like the collation: ignore case and trailing spaces."""
    return key.rstrip().lower() if isinstance(key, str) else key


def lines(days: Mapping[date, Database]) -> list[tuple[Line, str]]:
    """Return the order lines of the last day, each with the current country of its customer.

    Country and price of a line come from the last day, up to the order's date, that has the
    customer and the product, or otherwise from the first day that has them.
    """
    today = days[max(days)]

    def as_of(until: date, table: str, key: Any) -> Row:
        holding = [each for each in sorted(days) if key in days[each][table]]
        earlier = [each for each in holding if each <= until]
        return days[earlier[-1] if earlier else holding[0]][table][key]

    found = []
    for row in today["orderdetails"].values():
        order = today["orders"][row["orderNumber"]]
        customer = today["customers"][order["customerNumber"]]
        code = folded(row["productCode"])
        product = today["products"][code]
        product_line = today["productlines"][folded(product["productLine"])]
        line = Line(
            order=row["orderNumber"],
            day=order["orderDate"],
            customer=(customer["customerNumber"], customer["customerName"].strip()),
            country=as_of(order["orderDate"], "customers", order["customerNumber"])[
                "country"
            ].strip(),
            product=(product["productCode"], product["productName"].strip()),
            product_line=product_line["productLine"].strip(),
            quantity=row["quantityOrdered"],
            price=row["priceEach"],
            buy_price=as_of(order["orderDate"], "products", code)["buyPrice"],
        )
        found.append((line, customer["country"].strip()))
    return found


class Shop:
    """The source, its pipeline, and the database of each day with a completed refresh."""

    def __init__(self, sales: Sales, pipeline: Pipeline, folder: Path) -> None:
        self.sales = sales
        self.pipeline = pipeline
        self.folder = folder
        self.days: dict[date, Database] = {}
        numbers = "select customerNumber from orders group by 1 order by count(*) desc, 1 limit 3"
        self.first, self.second, self.third = map(int, sales.sql(numbers).split())
        codes = "select productCode from orderdetails group by 1 order by count(*) desc, 1 limit 1"
        self.sold = sales.sql(codes).strip()
        self.idle = int(
            sales.sql(
                "select min(customerNumber) from customers "
                "where customerNumber not in (select customerNumber from orders)"
            )
        )
        self.unsold = sales.sql(
            "select min(productCode) from products "
            "where productCode not in (select productCode from orderdetails)"
        ).strip()

    def wake(self, today: date) -> None:
        """Start a day."""
        self.moment = datetime(today.year, today.month, today.day, 4, tzinfo=UTC)

    def refresh(self, pipeline: Pipeline | None = None) -> None:
        """Refresh everything, and keep the database."""
        self.moment += timedelta(minutes=1)
        set_clock(self.moment)
        run = (pipeline or self.pipeline).refresh()
        assert run.success, self.pipeline.reason(run)
        self.days[self.moment.date()] = read(self.sales.url)

    def kill(self, point: Point) -> None:
        """Start a refresh and kill it at this point."""
        self.moment += timedelta(minutes=1)
        home = self.folder / f"killed {self.moment:%d}"
        home.mkdir()
        shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", home)
        with (
            DagsterInstance.from_config(str(home)) as instance,
            refreshing(
                Pipeline(self.pipeline.settings, instance),
                home / "process",
                point,
                signal.SIGKILL,
                moment=self.moment,
            ) as killed,
        ):
            assert killed.end() == -signal.SIGKILL, killed.log()[-3000:]

    def move(self, customer: int, country: str) -> None:
        """Move a customer to another country."""
        self.sales.sql(
            f"update customers set country = '{country}', city = 'Capital', state = null "
            f"where customerNumber = {customer}"
        )

    def price(self, product: str, factor: float) -> None:
        """Multiply the purchase price of a product."""
        self.sales.sql(
            f"update products set buyPrice = buyPrice * {factor} where productCode = '{product}'"
        )

    def order(self, number: int, customer: int, product: str, ordered: date) -> None:
        """Add an order of seven pieces."""
        days = ", ".join([f"'{ordered}'"] * 3)
        self.sales.sql(
            f"insert into orders values ({number}, {days}, 'Shipped', null, {customer});"
            f"insert into orderdetails values ({number}, '{product}', 7, 90.01, 1)"
        )

    def answers(self) -> dict[str, list[tuple[Any, ...]]]:
        """Run each query on the published star."""
        with duckdb.connect() as connection:
            for table in STAR:
                connection.execute(
                    f"create view {table[1]} as from '{self.pipeline.lake.fetch(table)}'"
                )
            return {
                name: connection.execute(path.read_text(encoding="utf-8")).fetchall()
                for name, path in questions().items()
            }

    def oracle(self) -> dict[str, list[tuple[Any, ...]]]:
        """Compute the expected results from the databases of all days."""
        found = lines(self.days)
        as_they_were = [line for line, _ in found]
        answers = {name: getattr(expected, name)(as_they_were) for name in questions()}
        today = [replace(line, country=country) for line, country in found]
        answers["sales_by_country_today"] = expected.sales_by_country(today)
        return answers


@pytest.fixture
def shop(pipeline: Pipeline, sales: Sales, tmp_path: Path) -> Iterator[Shop]:
    """A shop before its first day; the lake keeps all versions."""
    settings = pipeline.settings.model_copy(update={"keep_versions": 30})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MySQL, "now", MySQL.now)  # so that it is restored
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield Shop(sales, Pipeline(settings, pipeline.instance), tmp_path)


def a_move_and_another_price(shop: Shop) -> None:
    shop.move(shop.first, "Iceland")
    shop.price(shop.sold, 1.5)
    shop.order(90001, shop.first, shop.sold, day(2))
    shop.refresh()


def a_change_that_the_next_run_of_the_day_undoes(shop: Shop) -> None:
    shop.move(shop.second, "Malta")
    shop.price(shop.sold, 2)
    shop.refresh()
    assert shop.answers() == shop.oracle()
    shop.sales.sql(
        "replace into customers select * from sample.customers "
        f"where customerNumber = {shop.second}"
    )
    shop.price(shop.sold, 0.5)
    shop.refresh()


def deletions(shop: Shop) -> None:
    shop.sales.sql(
        f"create table gone as select * from customers where customerNumber = {shop.idle};"
        f"create table unsold as select * from products where productCode = '{shop.unsold}';"
        f"delete from customers where customerNumber = {shop.idle};"
        f"delete from products where productCode = '{shop.unsold}'"
    )
    shop.refresh()


def a_run_that_is_killed_among_the_raw_tables(shop: Shop) -> None:
    """This day has no completed refresh."""
    shop.move(shop.first, "Cyprus")
    shop.order(90002, shop.first, shop.sold, day(5))
    shop.kill(("before publishing", RAW[4]))


def late_orders(shop: Shop) -> None:
    """Add an order dated before a move, and an order of a new customer."""
    shop.order(90003, shop.first, shop.sold, day(1))
    shop.sales.sql(
        "create table newcomer as select * from customers limit 1; update newcomer set "
        "customerNumber = 9001, country = 'Monaco'; insert into customers select * from newcomer"
    )
    shop.order(90004, 9001, shop.sold, day(3))
    shop.refresh()


def returns_and_a_run_that_is_killed_before_the_fact(shop: Shop) -> None:
    """The next run on the same day completes it."""
    shop.sales.sql(
        "update gone set country = 'Andorra'; insert into customers select * from gone;"
        "update unsold set buyPrice = 1; insert into products select * from unsold"
    )
    shop.order(90005, shop.idle, shop.unsold, day(4))
    shop.price(shop.sold, 0.8)
    shop.kill(("before publishing", STAR[-1]))
    shop.refresh()


def a_refresh_that_is_taken_back(shop: Shop) -> None:
    shop.move(shop.second, "Malta")
    shop.price(shop.sold, 1.25)
    shop.order(90006, shop.second, shop.sold, day(8))
    shop.refresh()
    assert shop.answers() == shop.oracle()
    lake = shop.pipeline.lake
    with lake.lock("restore", LOG):
        assert len(list(restore(lake, "star", LOG))) == len(STAR)


def a_rebuild(shop: Shop) -> None:
    """Without the rebuild, the previous day's changes would have the date of this day."""
    shop.move(shop.second, "Oman")
    shop.move(shop.third, "Malta")
    shop.refresh()
    answers, right = shop.answers(), shop.oracle()
    different = {name for name in right if answers[name] != right[name]}
    assert {"sales_by_country", "margin"} <= different
    rebuilt = shop.pipeline.rebuild()
    assert rebuilt.success, shop.pipeline.reason(rebuilt)


def a_refresh_by_spark(shop: Shop) -> None:
    shop.move(shop.first, "Iceland")
    shop.price(shop.sold, 1.1)
    shop.order(90007, shop.second, shop.sold, day(8))
    shop.order(90008, shop.first, shop.sold, day(5))
    shop.order(90009, shop.third, shop.sold, day(10))
    spark = shop.pipeline.settings.model_copy(update={"engine": "spark"})
    shop.refresh(Pipeline(spark, shop.pipeline.instance))


DAYS: list[Callable[[Shop], None]] = [
    Shop.refresh,
    a_move_and_another_price,
    a_change_that_the_next_run_of_the_day_undoes,
    deletions,
    a_run_that_is_killed_among_the_raw_tables,
    late_orders,
    returns_and_a_run_that_is_killed_before_the_fact,
    a_refresh_that_is_taken_back,
    a_rebuild,
    a_refresh_by_spark,
]
WITHOUT_A_STAR = (a_run_that_is_killed_among_the_raw_tables, a_refresh_that_is_taken_back)
"""Days after which the star is that of an earlier day."""


@on_both
def test_every_question_is_answered_as_it_was_to_the_cent(shop: Shop) -> None:
    for number, happens in enumerate(DAYS, start=1):
        shop.wake(day(number))
        happens(shop)
        if happens not in WITHOUT_A_STAR:
            assert shop.answers() == shop.oracle()
    moved = f"from star.dim_customers_history where customerNumber = {shop.first}"
    assert shop.pipeline.rows(f"select count(*) {moved}") == [(4,)]
