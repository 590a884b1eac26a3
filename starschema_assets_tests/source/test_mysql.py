"""Tests for details of a real MariaDB and MySQL server."""

import subprocess
import sys
from decimal import Decimal

import pytest

from starschema_assets_tests.database_server import numbers
from starschema_assets_tests.source.conftest import PASSWORD, Shop, on_mysql


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("select", "from"),
        ("two words", 'it\'s "one"'),
        ("back`tick", "a`b"),
        ("back\\slash", "a\\b"),
        ("percent %s", "colon :x"),
        ("größe", "日本"),
    ],
)
def test_any_name_of_a_table_or_column_is_read(shop: Shop, table: str, column: str) -> None:
    name, key = (f"`{text.replace('`', '``')}`" for text in (table, column))
    shop.sql(f"CREATE TABLE {name} ({key} int PRIMARY KEY); INSERT INTO {name} VALUES (1), (2)")
    assert shop.read(table).to_pydict() == {column: [1, 2]}


def test_tables_that_differ_only_in_case_are_told_apart(shop: Shop) -> None:
    shop.sql(
        """
        CREATE TABLE Prices (a decimal(4,2)); INSERT INTO Prices VALUES (0.25), (NULL);
        CREATE TABLE prices (a int, b int); INSERT INTO prices VALUES (7, 8);
        """
    )
    assert shop.read("Prices").to_pydict() == {"a": [Decimal("0.25"), None]}
    assert shop.read("prices").to_pydict() == {"a": [7], "b": [8]}


@on_mysql
def test_the_primary_key_that_mysql_generates_is_a_column_like_any_other(shop: Shop) -> None:
    shop.sql(
        """
        SET sql_generate_invisible_primary_key = ON;
        CREATE TABLE t (a int); INSERT INTO t VALUES (7), (8);
        """
    )
    assert shop.source().declared(["t"])["t"].key == ("my_row_id",)
    assert shop.read("t").to_pydict() == {"my_row_id": [Decimal(1), Decimal(2)], "a": [7, 8]}


def test_wide_rows_of_a_table_are_read_once_each_in_bounded_memory(shop: Shop) -> None:
    shop.sql(
        f"""
        CREATE TABLE images (a int, b varchar(9), image longblob NOT NULL, PRIMARY KEY (b, a));
        INSERT INTO images SELECT seq, seq % 3, REPEAT('x', 1000000) FROM {numbers(300)};
        INSERT INTO images SELECT seq + 300, 4, 'small' FROM {numbers(8_700)};
        """
    )
    script = """
import resource, sys
from starschema_assets.settings import Settings
from starschema_assets.source.source import Source
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
source = Source(Settings(source_url=sys.stdin.read(), scratch=sys.argv[1]))
table = source.declared(["images"])["images"]
before, seen, length = peak(), set(), 0
with source.snapshot() as snapshot:
    for batch in snapshot.read(table):
        seen |= set(batch["a"].to_pylist())
        length += batch["image"].nbytes
print(len(seen), length // 1000000, peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(shop.scratch)],
        input=shop.server.url("etl", PASSWORD, shop.name),
        capture_output=True,
        text=True,
        check=True,
    )
    rows, megabytes, growth = map(int, done.stdout.split())
    assert (rows, megabytes) == (9000, 300)
    assert growth < 250


def test_text_that_grows_in_utf8_beyond_the_servers_packets_is_not_lost(own_shop: Shop) -> None:
    own_shop.server.execute("SET GLOBAL max_allowed_packet = 1048576")
    own_shop.sql(
        """
        CREATE TABLE `back``tick` (id int PRIMARY KEY, b mediumtext);
        INSERT INTO `back``tick` VALUES (1, CONCAT(REPEAT(x'E9', 500000), REPEAT(x'E9', 400000)));
        """
    )
    assert own_shop.read("back`tick")["b"].to_pylist() == ["é" * 900_000]
