"""Tests dimension histories against a reference implementation that keeps every daily snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starschema_assets.contract import Column, Contract, Tracked
from starschema_assets.history import history_contract
from starschema_assets.lake.lake import Table
from starschema_assets.types import arrow_type
from starschema_assets.versions import PREVIOUS, first_sql, next_sql

BEGIN, END = date(1, 1, 1), date(9999, 12, 31)
MONDAY = date(2026, 1, 5)

Key = int | str
Values = tuple[str | None, int | None]
Snapshot = Mapping[Key, Values]
"""The rows of the source in a run, by key."""
Row = tuple[object, ...]
TRACKED = Tracked(
    "tracked_things",
    (
        Column("colour", "string", "Colour.", nullable=True),
        Column("price", "int", "Price.", nullable=True),
    ),
)


def things(*, text_key: bool) -> Contract:
    """A dimension with two tracked columns."""
    return Contract(
        stage="star",
        table="things",
        grain="one row per thing",
        description="Things.",
        key=("code",),
        columns=(Column("code", "string" if text_key else "int", "Code."),),
        tracked=TRACKED,
    )


class Rows(Protocol):
    """Database in which a test runs SQL."""

    def put(self, table: Table, rows: pa.Table) -> None:
        """Write rows to a table."""

    def ask(self, sql: str) -> pa.Table:
        """Run a query and return its rows in order."""


class OnDuckDB:
    """Implements `Rows` with an in-memory DuckDB database."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("create schema star; create schema previous")

    def put(self, table: Table, rows: pa.Table) -> None:
        self._connection.register("rows", rows)
        self._connection.execute(f"create or replace table {'.'.join(table)} as from rows")

    def ask(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()


class Subject:
    """A history that each run extends."""

    def __init__(self, dimension: Contract, rows: Rows) -> None:
        self._history = history_contract(dimension)
        self._rows = rows
        self._types = pa.schema(
            [(c.name, arrow_type(c.type)) for c in (*dimension.columns, *TRACKED.columns)]
        )
        self._is_first = True

    def run(self, day: date, snapshot: Snapshot) -> list[Row]:
        """Run on `day` with `snapshot` and return all rows of the history."""
        today = [
            dict(zip(self._types.names, (key, *values), strict=True))
            for key, values in snapshot.items()
        ]
        self._rows.put(("star", TRACKED.step), pa.Table.from_pylist(today, self._types))
        names = [column.name for column in self._history.columns]
        made = self._rows.ask(
            first_sql(self._history, f"date '{day}'")
            if self._is_first
            else next_sql(self._history, day, stored=names)
        )
        assert made.schema.names == names
        self._rows.put((PREVIOUS, self._history.table), made)
        self._is_first = False
        return [tuple(row.values()) for row in made.to_pylist()]


@dataclass
class Version:
    """A version in the reference implementation."""

    values: Values
    first: date
    is_deleted: bool
    observed: date

    @property
    def seen(self) -> tuple[bool, date]:
        """Values of the last two columns, `isDeleted` and `observedOn`."""
        return self.is_deleted, self.observed


def oracle(runs: Sequence[tuple[date, Snapshot]]) -> list[Row]:
    """Compute the expected versions from the last snapshot of each day.

    A key has its most recent spelling of all runs.
    """
    versions: dict[Key, list[Version]] = {}
    spelling = {folded(key): key for _, snapshot in runs for key in snapshot}
    for day, snapshot in dict(runs).items():
        here = {folded(key): values for key, values in snapshot.items()}
        for key, values in here.items():
            versions.setdefault(key, [Version(values, BEGIN, is_deleted=False, observed=day)])
        for key, known in versions.items():
            last = known[-1]
            values, is_deleted = here.get(key, last.values), key not in here
            if (values, is_deleted) != (last.values, last.is_deleted):
                known.append(Version(values, day, is_deleted, day))
    return [
        (spelling[key], number, *version.values, version.first, end, end == END, *version.seen)
        for key in sorted(versions, key=lambda key: str(spelling[key]).encode())
        for number, (version, end) in enumerate(
            zip(versions[key], [*(v.first for v in versions[key][1:]), END], strict=True), start=1
        )
    ]


def folded(key: Key) -> Key:
    """Normalize a key like the source's collation: ignore case and trailing spaces."""
    return key.rstrip(" ").lower() if isinstance(key, str) else key


def verify(runs: Iterable[tuple[int, Snapshot]], rows: Rows, *, text_key: bool) -> None:
    """Check after each run that the history equals the oracle's.

    `runs` has the days since the previous run, and the snapshot.
    """
    subject = Subject(things(text_key=text_key), rows)
    done: list[tuple[date, Snapshot]] = []
    for days_later, snapshot in runs:
        day = (done[-1][0] if done else MONDAY) + timedelta(days=days_later)
        done.append((day, snapshot))
        assert subject.run(day, snapshot) == oracle(done)


SEQUENCE: list[tuple[int, Snapshot]] = [
    (0, {1: ("red", 1), 2: (None, None)}),
    (1, {1: ("red", 1), 2: (None, 2), 3: ("Red", 1)}),
    (1, {1: ("blue", 1), 3: ("Red", 1)}),
    (0, {1: ("red", 1), 2: (None, 2), 3: ("Red", 1)}),  # the same day: undoes all changes
    (1, {2: (None, 2), 3: ("Red", 1)}),
    (0, {2: (None, 2), 3: ("Red", 1)}),
    (3, {1: ("red", 1), 2: ("", 2)}),
    (1, {}),
]
"""Changes, deletions, a deleted key that comes back, and reruns on the same day that undo some."""
SPELLINGS: list[tuple[int, Snapshot]] = [
    (0, {"a": ("red", 1), "b": ("red", 1), "É": (None, 1)}),
    (1, {"A  ": ("red", 1), "b": ("blue", 1), "é": (None, 1)}),
    (0, {"A  ": ("red", 1), "B": ("red", 1)}),
    (1, {"A": ("red", 1), "é ": (None, 2)}),
]
"""Keys that change spelling, are deleted, and come back with another spelling."""
VALUES = st.tuples(st.sampled_from([None, "", "red", "Red", "it's"]), st.sampled_from([None, 1, 2]))


def runs_of(
    snapshots: st.SearchStrategy[Snapshot],
) -> st.SearchStrategy[list[tuple[int, Snapshot]]]:
    """Return a strategy for lists of (days since the previous run, snapshot)."""
    return st.lists(st.tuples(st.integers(0, 2), snapshots), min_size=1, max_size=8)


@pytest.mark.parametrize("text_key", [False, True])
def test_changes_deletions_returns_and_reruns_make_versions(*, text_key: bool) -> None:
    runs = [(later, {str(k) if text_key else k: v for k, v in s.items()}) for later, s in SEQUENCE]
    verify(runs, OnDuckDB(), text_key=text_key)


def test_parts_make_the_rows_of_the_whole() -> None:
    rows = OnDuckDB()
    subject = Subject(things(text_key=False), rows)
    for number, (_, snapshot) in enumerate(SEQUENCE[:3]):
        subject.run(MONDAY + timedelta(days=number), snapshot)
    history = history_contract(things(text_key=False))
    names, day = [c.name for c in history.columns], MONDAY + timedelta(days=4)
    whole = rows.ask(next_sql(history, day, names)).to_pylist()
    parts = [
        row
        for part in ("code <= 1", "code > 1 and code <= 2", "code > 2")
        for row in rows.ask(next_sql(history, day, names, part=part)).to_pylist()
    ]
    assert parts == whole


def test_a_respelled_key_stays_the_same() -> None:
    verify(SPELLINGS, OnDuckDB(), text_key=True)


@settings(deadline=None, max_examples=50)
@given(runs_of(st.dictionaries(st.integers(1, 4), VALUES, max_size=4)))
def test_random_runs_make_what_the_oracle_says(runs: list[tuple[int, Snapshot]]) -> None:
    verify(runs, OnDuckDB(), text_key=False)


@settings(deadline=None, max_examples=50)
@given(
    runs_of(
        st.lists(st.tuples(st.sampled_from(["a", "A", "a ", "b", "É", "é  "]), VALUES)).map(
            lambda rows: dict({folded(key): (key, values) for key, values in rows}.values())
        )
    )
)
def test_random_spellings_make_what_the_oracle_says(runs: list[tuple[int, Snapshot]]) -> None:
    verify(runs, OnDuckDB(), text_key=True)


def test_a_key_with_two_spellings_is_two_keys() -> None:
    """A snapshot with two spellings of a key has two keys, although the collation equates them."""
    subject = Subject(things(text_key=True), OnDuckDB())
    subject.run(MONDAY, {"a": ("red", 1)})
    subject.run(MONDAY + timedelta(days=1), {"a": ("red", 1), "A": ("blue", 1)})
    rows = subject.run(MONDAY + timedelta(days=2), {"A": ("blue", 1), "A ": ("blue", 1)})
    assert [row[:3] for row in rows] == [
        ("A", 1, "blue"),
        ("A ", 1, "blue"),
        ("a", 1, "red"),
        ("a", 2, "red"),
    ]


def test_a_new_column_is_filled_without_a_version_on_its_first_day() -> None:
    dimension = things(text_key=False)
    history, rows = history_contract(dimension), OnDuckDB()
    subject = Subject(dimension, rows)
    subject.run(MONDAY, {1: ("red", 1), 2: ("red", 1), 3: ("red", 1)})
    subject.run(MONDAY + timedelta(days=1), {1: ("blue", 1), 2: ("red", 1), 3: ("red", 1)})
    stored = [column.name for column in history.columns if column.name != "price"]

    def run(
        days: int, today: Snapshot, *, stored: Sequence[str], filled: Sequence[str]
    ) -> list[Row]:
        values = [{"code": key, "colour": c, "price": p} for key, (c, p) in today.items()]
        rows.put(("star", TRACKED.step), pa.Table.from_pylist(values))
        made = rows.ask(next_sql(history, MONDAY + timedelta(days=days), stored, filled))
        rows.put((PREVIOUS, history.table), made)
        return [(*row.values(),)[:4] for row in made.to_pylist()]

    rows.put(
        (PREVIOUS, history.table),
        rows.ask(f"select {', '.join(stored)} from previous.things_history"),
    )
    first = run(2, {1: ("blue", 7), 2: ("grey", 8)}, stored=stored, filled=["price"])
    assert first == [
        (1, 1, "red", None),
        (1, 2, "blue", 7),
        (2, 1, "red", None),
        (2, 2, "grey", 8),
        (3, 1, "red", None),
        (3, 2, "red", None),
    ]
    every = [column.name for column in history.columns]
    again = run(2, {1: ("blue", 9), 2: ("red", 8), 3: ("red", 1)}, stored=every, filled=["price"])
    assert again == [(1, 1, "red", None), (1, 2, "blue", 9), (2, 1, "red", 8), (3, 1, "red", 1)]
    assert run(3, {1: ("blue", 9), 2: ("red", 8), 3: ("red", 2)}, stored=every, filled=[])[-2:] == [
        (3, 1, "red", 1),
        (3, 2, "red", 2),
    ]


def test_the_contract_of_a_history_comes_from_its_dimension() -> None:
    contract = history_contract(things(text_key=True))
    assert contract.name == "star/things_history"
    assert contract.key == contract.sorted_by == ("code", "version")
    assert [column.name for column in contract.columns] == [
        "code",
        "version",
        "colour",
        "price",
        "validFrom",
        "validTo",
        "isCurrent",
        "isDeleted",
        "observedOn",
    ]
