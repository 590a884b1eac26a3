"""Tests for rows and figures of a snapshot, on a real MariaDB and MySQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from threading import Event, Thread

import duckdb
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from starschema_assets.contract import Reconciliation, Sum
from starschema_assets.quality.reconciliation import ask_source
from starschema_assets.source import mysql
from starschema_assets.source.database import Reading
from starschema_assets.source.errors import ConnectionLost, RowsMissing, SourceError, ValueRefused
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.types import arrow_type
from starschema_assets_tests.database_server import numbers
from starschema_assets_tests.source.cases import CASES, CASES_OF
from starschema_assets_tests.source.conftest import Shop

LARGE_ROWS = 300_000
"""More rows than the buffers of a connection can hold."""
LARGE = f"""
CREATE TABLE large (id int PRIMARY KEY, filler varchar(100) NOT NULL);
INSERT INTO large SELECT seq, REPEAT('x', 100) FROM {numbers(LARGE_ROWS)};
"""
CONNECTION = "SELECT CONNECTION_ID()"


@pytest.mark.parametrize("table", ["every type", "read in `slices`"])
def test_every_type_keeps_its_extremes_and_its_nulls(shop: Shop, table: str) -> None:
    name = "`" + table.replace("`", "``") + "`"
    cases = [*CASES, *CASES_OF[shop.server.name]]
    columns = ", ".join(f"c{index} {case[0]}" for index, case in enumerate(cases))
    lows = ", ".join(case[2] for case in cases)
    highs = ", ".join(case[3] for case in cases)
    shop.sql(
        f"""
        CREATE TABLE {name} (id int PRIMARY KEY, {columns});
        INSERT INTO {name} VALUES (1, {lows}), (2, {highs});
        INSERT INTO {name} (id) VALUES (3);
        """
    )
    rows = shop.read(table).sort_by("id")
    assert rows.schema.field("id").nullable is False
    for index, (declared, athena, _, _, low, high) in enumerate(cases):
        column = rows.column(f"c{index}")
        assert (declared, column.type) == (declared, arrow_type(athena))
        assert (declared, column.to_pylist()) == (declared, [low, high, None])


@contextmanager
def orders_being_written(shop: Shop) -> Iterator[None]:
    """Commit orders with three lines each, as fast as possible."""
    shop.sql(
        f"""
        CREATE TABLE orders (id int PRIMARY KEY);
        CREATE TABLE fillers AS SELECT seq, REPEAT('x', 50) AS filler FROM {numbers(50_000)};
        CREATE TABLE details (id int, line int, PRIMARY KEY (id, line));
        """
    )
    enough, stop = Event(), Event()

    def write() -> None:
        writer = create_engine(shop.server.url("root", "", shop.name), poolclass=NullPool)
        with writer.connect() as connection:
            for order in takewhile(lambda _: not stop.is_set(), count(1)):
                lines = f"({order}, 1), ({order}, 2), ({order}, 3)"
                connection.execute(text(f"INSERT INTO orders VALUES ({order})"))
                connection.execute(text(f"INSERT INTO details VALUES {lines}"))
                connection.commit()
                if order == 50:
                    enough.set()

    thread = Thread(target=write)
    thread.start()
    try:
        assert enough.wait(60)
        yield
    finally:
        stop.set()
        thread.join()


def torn_orders(shop: Shop) -> tuple[int, int]:
    """Return incomplete orders or lines in ten snapshots, and the number of commits seen."""
    source = shop.source()
    tables = source.declared(["orders", "fillers", "details"])
    torn, seen = 0, set()
    for _ in range(10):
        with source.snapshot() as snapshot:
            ids = set(snapshot.read(tables["orders"]).read_all()["id"].to_pylist())
            snapshot.read(tables["fillers"]).read_all()
            lines = snapshot.read(tables["details"]).read_all()["id"].to_pylist()
            counted = snapshot.figures("SELECT COUNT(*) FROM details")
            torn += len(ids ^ set(lines)) + abs(len(lines) - 3 * len(ids))
            torn += counted != [(len(lines),)]
        seen.add(len(ids))
    return torn, len(seen)


def test_orders_and_lines_come_from_one_moment_while_others_commit(shop: Shop) -> None:
    with orders_being_written(shop):
        torn, moments = torn_orders(shop)
    assert torn == 0
    assert moments > 1


def test_without_the_snapshot_the_same_orders_are_torn(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_snapshot(_connection: duckdb.DuckDBPyConnection) -> None:
        """Keep DuckDB's transaction with the server's isolation level."""

    monkeypatch.setattr(mysql, "begin_snapshot", no_snapshot)
    monkeypatch.setattr(Snapshot, "_check_rows", lambda *_: None)
    with orders_being_written(shop):
        torn, _ = torn_orders(shop)
    assert torn > 0


def test_a_snapshot_knows_its_moment_and_no_other_has_its_id(shop: Shop) -> None:
    source = shop.source()
    with source.snapshot() as first, source.snapshot() as second:
        assert first.id.startswith(f"{first.taken_at:%Y%m%dT%H%M%S.%fZ}-")
        assert first.id != second.id


def test_the_server_computes_figures_in_the_snapshot_to_the_last_digit(shop: Shop) -> None:
    shop.sql("CREATE TABLE t (a decimal(38,2)); INSERT INTO t VALUES (0.01), (9999999999999999.99)")
    with shop.source().snapshot() as snapshot:
        shop.sql("INSERT INTO t VALUES (1)")
        assert snapshot.figures("SELECT COUNT(*), CAST(SUM(a) AS CHAR) FROM t") == [
            (2, "10000000000000000.00")
        ]


@pytest.mark.parametrize("are_ranges", [True, False])
def test_tables_and_keys_with_names_of_sql_are_summed_up(shop: Shop, *, are_ranges: bool) -> None:
    shop.sql("""
        CREATE TABLE `group` (`key` int PRIMARY KEY, city varchar(9));
        INSERT INTO `group` VALUES (1, 'Lyon'), (2, 'Lyon'), (3, 'Oslo');
        CREATE TABLE `order` (id int PRIMARY KEY, `key` int, fee decimal(5,2));
        INSERT INTO `order` VALUES (1, 1, 0.10), (2, 2, 0.20), (3, 3, 5);
    """)
    if not are_ranges:
        shop.sql("INSERT INTO `group` VALUES (4, 'Lyon')")
    fees = Sum("sum(fee)", "sum(fee)", "decimal(38,2)", "EUR")
    by_city = Reconciliation("order", (fees,), "city", "city", group_table="group", group_key="key")
    with shop.source().snapshot() as snapshot:
        rows, sums = ask_source(snapshot.figures, snapshot.quoted, by_city)
    assert rows == (3 if are_ranges else None)
    assert sorted(sums) == [["Lyon", "0.30"], ["Oslo", "5.00"]]


def test_progress_is_told_as_rows_arrive(shop: Shop) -> None:
    shop.sql(f"CREATE TABLE t (a int); INSERT INTO t SELECT seq FROM {numbers(300_000)}")
    source, told = shop.source(), list[int]()
    table = source.declared(["t"])["t"]
    with source.snapshot() as snapshot:
        assert snapshot.count(table) == 300_000
        snapshot.read(table, told.append).read_all()
    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1] == 300_000


def test_a_table_must_be_read_to_its_end_before_the_next(shop: Shop) -> None:
    shop.sql(f"CREATE TABLE t (a int); INSERT INTO t SELECT seq FROM {numbers(300_000)}")
    source = shop.source()
    table = source.declared(["t"])["t"]
    with source.snapshot() as snapshot:
        reader = snapshot.read(table)
        reader.read_next_batch()
        with pytest.raises(RuntimeError, match="t is still being read"):
            snapshot.figures("SELECT 1")
        assert reader.read_all().num_rows < 300_000


ZERO_DATES = """
CREATE TABLE t (id int PRIMARY KEY, day date, moment datetime NOT NULL, stamp timestamp NOT NULL);
INSERT INTO t VALUES
    (1, '2025-02-28', '2025-02-28 12:00', '2025-02-28 12:00'),
    (2, '0000-00-00', '0000-00-00', '0000-00-00'),
    (3, '2025-00-15', '2025-02-31 01:02:03', '2025-03-01'),
    (4, '2025-02-31', '2024-02-29 23:59:59', '2025-03-01'),
    (5, '2025-01-00', '0000-01-01', '2025-03-01'),
    (6, NULL, '2025-04-30', '2025-03-01');
"""


def test_a_zero_date_is_refused_with_table_column_number_and_value(shop: Shop) -> None:
    shop.sql(ZERO_DATES)
    source = shop.source()
    table = source.declared(["t"])["t"]
    with source.snapshot() as snapshot, pytest.raises(ValueRefused) as refused:
        snapshot.read(table)
    assert "t.day has 4 such as '0000-00-00'" in str(refused.value)
    assert "t.moment has 3 such as '0000-00-00 00:00:00'" in str(refused.value)
    assert "t.stamp has 1 such as '0000-00-00 00:00:00'" in str(refused.value)


def test_zero_dates_become_null_and_are_counted_if_the_setting_says_so(shop: Shop) -> None:
    shop.sql(ZERO_DATES)
    source = shop.source(zero_dates="null")
    table = source.declared(["t"])["t"]
    with source.snapshot() as snapshot:
        rows = snapshot.read(table).read_all().sort_by("id")
        assert snapshot.zero_dates == {"t": {"day": 4, "moment": 3, "stamp": 1}}
    assert [str(day) for day in rows["day"]] == ["2025-02-28", *["None"] * 5]
    assert [str(moment) for moment in rows["moment"]] == [
        "2025-02-28 12:00:00",
        "None",
        "None",
        "2024-02-29 23:59:59",
        "None",
        "2025-04-30 00:00:00",
    ]
    assert [str(stamp) for stamp in rows["stamp"]][:2] == ["2025-02-28 06:30:00", "None"]
    assert rows.schema.field("stamp").nullable is True


def test_a_column_that_was_altered_since_it_was_declared_is_refused(shop: Shop) -> None:
    shop.sql(f"{LARGE} CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    source = shop.source()
    tables = source.declared(["large", "t"])
    shop.sql("ALTER TABLE large MODIFY id bigint")
    with source.snapshot() as snapshot:
        with pytest.raises(ValueRefused, match=r"large\.id .* int32, but returns int64"):
            snapshot.read(tables["large"]).read_all()
        assert snapshot.read(tables["t"]).read_all()["a"].to_pylist() == [1]


def read_until(shop: Shop, harm: str) -> None:
    """Read a large table, and disturb the connection during it."""
    source = shop.source()
    table = source.declared(["large"])["large"]
    with source.snapshot() as snapshot:
        ((connection,),) = snapshot.figures(CONNECTION)
        reader = snapshot.read(table)
        assert reader.read_next_batch().num_rows < LARGE_ROWS
        if harm == "server":
            shop.server.kill()
        else:
            shop.sql(f"{harm} {connection}")
        reader.read_all()


@pytest.mark.parametrize("harm", ["KILL", "KILL QUERY"])
def test_a_connection_killed_in_the_midst_of_a_table_is_named(shop: Shop, harm: str) -> None:
    shop.sql(LARGE)
    with pytest.raises(
        ConnectionLost, match=r"etl@127\.0\.0\.1:\d+/shop, reading large.*run again"
    ):
        read_until(shop, harm)


def kill_connection(shop: Shop, snapshot: Snapshot) -> None:
    """Kill the connection of a snapshot while it is idle."""
    ((connection,),) = snapshot.figures(CONNECTION)
    shop.sql(f"KILL {connection}")


def test_a_connection_killed_between_two_tables_is_named(shop: Shop) -> None:
    shop.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    source = shop.source()
    table = source.declared(["t"])["t"]

    def read_after_kill() -> None:
        with source.snapshot() as snapshot:
            kill_connection(shop, snapshot)
            snapshot.read(table)

    with pytest.raises(ConnectionLost):
        read_after_kill()


def test_a_connection_killed_after_the_last_table_is_named(shop: Shop) -> None:
    with pytest.raises(ConnectionLost), shop.source().snapshot() as snapshot:
        kill_connection(shop, snapshot)


def test_a_server_that_dies_in_the_midst_of_a_table_is_named_and_can_be_read_again(
    own_shop: Shop,
) -> None:
    own_shop.sql(LARGE)
    with pytest.raises(ConnectionLost, match="reading large"):
        read_until(own_shop, "server")
    own_shop.server.start()
    assert own_shop.read("large").num_rows == LARGE_ROWS


def test_a_server_that_restarts_between_two_tables_is_named(own_shop: Shop) -> None:
    with pytest.raises(ConnectionLost), own_shop.source().snapshot():
        own_shop.server.restart()


def test_a_slow_reader_is_waited_for(own_shop: Shop) -> None:
    """By default a server gives up if it can't send for a minute; this one after a second."""
    own_shop.server.execute("SET GLOBAL net_write_timeout = 1, GLOBAL wait_timeout = 1")
    own_shop.sql(LARGE)
    source = own_shop.source()
    table = source.declared(["large"])["large"]
    with source.snapshot() as snapshot:
        time.sleep(2)
        reader = snapshot.read(table)
        first = reader.read_next_batch().num_rows
        time.sleep(3)
        assert first + reader.read_all().num_rows == LARGE_ROWS


def test_rows_that_went_missing_are_noticed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server can't be made to lose rows silently, so the test drops them while reading."""
    shop.sql("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")
    whole = mysql.MySQL.readings

    def cut(*arguments: object) -> list[Reading]:
        return [
            Reading(f"{reading.sql} LIMIT 2", reading.presented)
            for reading in whole(*arguments)  # type: ignore[arg-type]
        ]

    monkeypatch.setattr(mysql.MySQL, "readings", cut)
    with pytest.raises(RowsMissing, match=r"t: 2 rows were read, but .* counts 3"):
        shop.read("t")


def test_the_server_is_left_without_connections(own_shop: Shop) -> None:
    own_shop.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    own_shop.read("t")
    with pytest.raises(SourceError), own_shop.source().snapshot() as snapshot:
        snapshot.figures("SELECT nonsense")
    users = own_shop.sql("SELECT user FROM information_schema.processlist WHERE user = 'etl'")
    assert users == ""
