"""Write load: inserts, changes and deletes orders with lines and payments.

The comments of each order contain the sums of its lines. Order and lines are committed together.
So if they differ in a table, it mixes two states of the database.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pymysql
from pymysql.cursors import Cursor

from starschema_assets_tests.database_server import DatabaseServer

FIRST = 1_000_000
"""Number of the first order of the first writer. Each writer has a range of a million numbers."""
PAUSE = 0.02
MAX_ORDERS = 1_000
DAY = "2024-03-05"
"""A day in a year with other orders, so that dim_dates doesn't change with the writers' orders."""
SUMMED = """
update orders set comments = (
    select concat_ws(' ', count(*), sum(quantityOrdered), sum(quantityOrdered * priceEach))
    from orderdetails where orderdetails.orderNumber = orders.orderNumber
) where orderNumber = %s
"""


@dataclass
class Writer:
    """Writes through one connection until it is stopped. Reconnects if the connection is lost."""

    server: DatabaseServer
    database: str
    first: int
    random: random.Random
    ended: threading.Event
    commits: int = 0
    lost: int = 0
    products: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Write until `ended` is set."""
        while not self.ended.is_set():
            with suppress(pymysql.MySQLError, OSError):
                self._write_on()
            self.lost += not self.ended.wait(PAUSE)

    def _write_on(self) -> None:
        connection = pymysql.connect(
            host="127.0.0.1", port=self.server.port, user="root", database=self.database
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("select productCode from products")
            self.products = [code for (code,) in cursor.fetchall()]
            while not self.ended.wait(PAUSE):
                self._change(cursor)
                connection.commit()
                self.commits += 1

    def _change(self, cursor: Cursor) -> None:
        cursor.execute(
            "select orderNumber from orders where orderNumber between %s and %s",
            (self.first, self.first + FIRST - 1),
        )
        orders = [number for (number,) in cursor.fetchall()]
        share = self.random.random() + len(orders) / MAX_ORDERS / 2
        if not orders or share < 0.6:
            self._place(cursor, max(orders, default=self.first) + 1)
        elif share < 0.9:
            self._alter(cursor, self.random.choice(orders))
        else:
            number = self.random.choice(orders)
            cursor.execute("delete from orderdetails where orderNumber = %s", (number,))
            cursor.execute("delete from orders where orderNumber = %s", (number,))

    def _place(self, cursor: Cursor, number: int) -> None:
        customer = self._customer(cursor, number)
        cursor.execute(
            f"insert into orders values (%s, '{DAY}', '{DAY}', null, 'In Process', '', %s)",
            (number, customer),
        )
        for line, product in enumerate(
            self.random.sample(self.products, self.random.randint(1, 5))
        ):
            pieces, price = self.random.randint(1, 99), Decimal(self.random.randint(1, 9999)) / 100
            cursor.execute(
                "insert into orderdetails values (%s, %s, %s, %s, %s)",
                (number, product, pieces, price, line + 1),
            )
        cursor.execute(SUMMED, (number,))
        cursor.execute(
            f"insert ignore into payments values (%s, %s, '{DAY}', 1)", (customer, number)
        )

    def _customer(self, cursor: Cursor, number: int) -> int:
        """Return the customer of an order: usually the first one, sometimes a new one."""
        cursor.execute("select min(customerNumber) from orders")
        (first,) = cursor.fetchone() or (0,)
        if self.random.random() < 0.8:
            return int(first)
        cursor.execute(
            "create temporary table newcomer select * from customers where customerNumber = %s",
            (first,),
        )
        cursor.execute("update newcomer set customerNumber = %s", (number,))
        cursor.execute("insert ignore into customers select * from newcomer")
        cursor.execute("drop temporary table newcomer")
        return number

    def _alter(self, cursor: Cursor, number: int) -> None:
        cursor.execute(
            "update orderdetails set quantityOrdered = %s where orderNumber = %s",
            (self.random.randint(1, 99), number),
        )
        cursor.execute(
            f"update orders set status = 'Shipped', shippedDate = '{DAY}' where orderNumber = %s",
            (number,),
        )
        cursor.execute(SUMMED, (number,))


@contextmanager
def writing(
    server: DatabaseServer, database: str, seed: int, count: int = 2
) -> Iterator[list[Writer]]:
    """Run `count` writers. The seed determines their changes."""
    ended = threading.Event()
    writers = [
        Writer(server, database, FIRST * (1 + index), random.Random(seed + index), ended)
        for index in range(count)
    ]
    threads = [threading.Thread(target=writer.write, daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def assert_orders_add_up(fact: pa.Table) -> int:
    """Assert that the lines of the writers' orders add up. Return the number of orders."""
    found: dict[int, list[Decimal]] = {}
    recorded: dict[int, str] = {}
    columns = ("orderNumber", "quantityOrdered", "orderAmount", "comments")
    rows = zip(*(fact.column(name).to_pylist() for name in columns), strict=True)
    for number, pieces, amount, comments in rows:
        if number >= FIRST:
            sums = found.setdefault(number, [Decimal(0)] * 3)
            found[number] = [sums[0] + 1, sums[1] + pieces, sums[2] + amount]
            recorded[number] = comments
    for number, sums in found.items():
        expected = [Decimal(text) for text in recorded[number].split()]
        assert sums == expected, f"order {number} mixes two states: {sums} instead of {expected}"
    return len(found)
