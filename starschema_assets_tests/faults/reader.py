"""A reader that reads all published tables repeatedly while faults are injected.

It verifies that tables are complete, and never older than before. Dimensions are published before
the fact, so if the fact is read first, the dimensions must be at least as new. After a successful
refresh, all tables must come from one snapshot.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb
import pyarrow as pa
from pyarrow import parquet as pq

from starschema_assets.lake.lake import file_of, mapping_of
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.quality.reconciliation import sums_in
from starschema_assets.star.models import MODELS
from starschema_assets_tests.faults.deployment import FILES
from starschema_assets_tests.faults.objects import Objects

PAUSE = 0.5
"""Seconds between two rounds, so that the reader doesn't slow down the pipeline."""

FACT = next(model.contract for model in MODELS if model.contract.table == "fact_orders")
FACT_FILE = file_of(FACT.path)
KEYS = {model.contract.table: model.contract.key[0] for model in MODELS}


@dataclass(frozen=True)
class Version:
    """One version of a table, as a reader sees it."""

    digest: str
    run_id: str
    written_at: str
    snapshots: Mapping[str, str]
    """Snapshots of the raw tables that it was built from, by raw table."""
    rows: pa.Table = field(compare=False, repr=False)

    def assert_not_older(self, than: "Version") -> None:
        """Assert that no raw table's snapshot is earlier than in the other version."""
        for table, snapshot in than.snapshots.items():
            assert self.snapshots.get(table, snapshot) >= snapshot, f"{table} went back in time"


@dataclass
class Reader:
    """The last seen version of each table, and counts of versions and rounds."""

    current: dict[str, Version] = field(default_factory=dict)
    versions: int = 0
    rounds: int = 0
    errors: list[str] = field(default_factory=list)

    def look(self, objects: Objects) -> None:
        """Read every table once, in reverse order of publication."""
        seen = self.versions
        for name in reversed(FILES):
            content = objects.read(name)
            digest = hashlib.sha256(content).hexdigest()
            before = self.current.get(name)
            if before is None or before.digest != digest:
                version = whole_version(name, content, digest)
                if before:
                    assert version.written_at > before.written_at, f"{name} went back in time"
                    version.assert_not_older(before)
                self.current[name] = version
                self.versions += 1
        if self.versions > seen:
            self._compare()
        self.rounds += 1

    def _compare(self) -> None:
        """Assert that all tables are as new as the fact and contain its keys."""
        fact = self.current[FACT_FILE]
        for name, version in self.current.items():
            try:
                version.assert_not_older(fact)
            except AssertionError as error:
                raise AssertionError(f"{name} is older than the fact: {error}") from None
        for key in FACT.foreign_keys:
            referenced = self.current[file_of(("star", key.references))].rows
            keys = referenced.column(KEYS[key.references]).to_pylist()
            missing = set(fact.rows.column(key.columns[0]).to_pylist()) - {*keys, None}
            assert not missing, f"{key.columns[0]} {missing} of the fact: not in {key.references}"


def whole_version(name: str, content: bytes, digest: str) -> Version:
    """Read all values of a table, and verify them against its metadata."""
    table = pq.read_table(pa.BufferReader(content))
    table.validate(full=True)
    footer = read_footer(pa.BufferReader(content))
    entries = footer.metadata
    assert table.num_rows == footer.rows > 0, f"{name}: {table.num_rows} of {footer.rows} rows"
    if "snapshot" in entries:
        assert footer.rows == int(entries["source_rows"]), f"{name} has other rows than the source"
        snapshots = {name.split("/")[1]: entries["snapshot"]}
    else:
        snapshots = mapping_of(entries, "raw_snapshots")
        assert len(set(snapshots.values())) == 1, f"{name} is of several snapshots: {snapshots}"
    if name == FACT_FILE:
        assert_totals(table, footer)
    return Version(digest, entries["run_id"], entries["written_at"], snapshots, table)


def assert_totals(fact: pa.Table, footer: Footer) -> None:
    """Assert that the fact's totals equal those that the source computed in the snapshot."""
    with duckdb.connect() as connection:
        connection.register("fact", fact)
        rows = connection.execute(
            "select cast(year(orderDate) as varchar), count(*), sum(quantityOrdered),"
            " sum(orderAmount) from fact group by 1"
        ).fetchall()
    totals = {year: tuple(map(Decimal, sums)) for year, *sums in rows}
    assert totals == sums_in(footer.metadata["order_figures"]), (
        "the totals aren't those of the source"
    )


@contextmanager
def reading(objects: Objects) -> Iterator[Reader]:
    """Read repeatedly in a thread. At the end, assert that no read found an error."""
    reader = Reader()
    reader.look(objects)
    ended = threading.Event()

    def read_on() -> None:
        while not ended.wait(PAUSE):
            try:
                reader.look(objects)
            except Exception as error:  # noqa: BLE001 - the test reports any error
                reader.errors.append(repr(error))

    thread = threading.Thread(target=read_on, daemon=True)
    thread.start()
    try:
        yield reader
    finally:
        ended.set()
        thread.join()
    reader.look(objects)
    assert not reader.errors, reader.errors[:3]
    assert reader.rounds > 2, "nothing was read while it happened"
