"""Returns a table's values as the server sees them, in text that every client reads the same."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pymysql

from starschema_assets.source.mysql_sql import quoted
from starschema_assets_tests.source.conftest import Shop
from starschema_assets_tests.source.fuzzed_tables import Column, Table

Row = tuple[Any, ...]
VIEW = "a view"


class NoDate(str):
    """Text of an invalid date."""

    __slots__ = ()


class Oracle:
    """A connection to a shop that creates tables, one at a time, and returns their values."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._connection = pymysql.connect(
            host="127.0.0.1",
            port=shop.server.port,
            user="root",
            database=shop.name,
            charset="utf8mb4",
            autocommit=True,
            init_command="SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'",
        )

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def create(self, table: Table) -> str:
        """Create the only table and return the name to read. Raises MySQLError if it is invalid."""
        name = quoted(table.name)
        parts = [f"{quoted(column.name)} {column.declared}" for column in table.columns]
        if table.key:
            parts.append(f"PRIMARY KEY ({', '.join(map(_key_part, table.columns[: table.key]))})")
        self._ask(f"DROP DATABASE IF EXISTS {self._shop.name}")
        self._ask(f"CREATE DATABASE {self._shop.name}")
        self._ask(f"USE {self._shop.name}")
        self._ask(f"CREATE TABLE {name} ({', '.join(parts)})")
        for row in zip(*(column.values for column in table.columns), strict=True):
            self._ask(f"INSERT IGNORE INTO {name} VALUES ({', '.join(row)})")
        return VIEW if table.is_view and self._create_view(table) else table.name

    def rows(self, table: Table) -> list[Row]:
        """Return the rows, in any order."""
        questions = ", ".join(map(_question, table.columns))
        rows = self._ask(f"SELECT {questions} FROM {quoted(table.name)}")
        return [tuple(map(_understood, table.columns, row)) for row in rows]

    def _create_view(self, table: Table) -> bool:
        """Create a view, and return whether it has the table's columns.

        The server changes names that begin with a blank. MySQL's metadata has the old names, so
        the columns can't be selected.
        """
        self._ask(f"CREATE VIEW `{VIEW}` AS SELECT * FROM {quoted(table.name)}")
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM `{VIEW}` LIMIT 0")
            return [made[0] for made in cursor.description] == [c.name for c in table.columns]

    def _ask(self, sql: str) -> tuple[Row, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


def kind(column: Column) -> str:
    """Return the name of a column's type."""
    return re.split(r"\W", column.declared)[0]


def _key_part(column: Column) -> str:
    # A key can contain only the first bytes of these types
    has_no_end = kind(column).endswith(("text", "blob", "json"))
    return quoted(column.name) + ("(20)" if has_no_end else "")


def _question(column: Column) -> str:
    name = quoted(column.name)
    if kind(column) in {"float", "double"}:
        return f"CAST({name} AS DOUBLE)"
    if kind(column) == "bit" or _is_binary(column):
        return f"HEX({name})"
    return f"HEX(CONVERT(CAST({name} AS CHAR) USING utf8mb4))"


def _understood(column: Column, answer: Any) -> Any:
    """Return the expected value."""
    if answer is None or isinstance(answer, float):
        return answer
    if kind(column) == "bit":
        bits, number = int(column.declared[4:].split(")")[0]), int(answer, 16)
        return bool(number) if bits == 1 else number.to_bytes((bits + 7) // 8)
    if _is_binary(column):
        return bytes.fromhex(answer)
    text = bytes.fromhex(answer).decode()
    return _PARSERS.get(kind(column), str)(text)


def _is_binary(column: Column) -> bool:
    return kind(column).endswith(("binary", "blob"))


def _or_none(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError:
            return NoDate(text)

    return parsed


_INTEGERS = ("boolean", "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year")
_PARSERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_INTEGERS, int),
    "decimal": Decimal,
    "date": _or_none(date.fromisoformat),
    "datetime": _or_none(datetime.fromisoformat),
    "timestamp": _or_none(datetime.fromisoformat),
}
