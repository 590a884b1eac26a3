"""Someone who reads every published table again and again while the pipeline meets its faults."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pyarrow as pa
from pyarrow import parquet as pq

from starschema_assets_tests.faults.deployment import FILES
from starschema_assets_tests.faults.objects import Objects

PAUSE = 0.2
"""Seconds between two rounds, so that the pipeline gets on with its work, too."""


@dataclass
class Reader:
    """What was seen of each table: its versions in the order in which they appeared."""

    versions: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FILES})
    snapshots: dict[str, list[dict[str, str]]] = field(
        default_factory=lambda: {name: [] for name in FILES}
    )
    """For each version, the snapshot of each raw table that is in it."""
    rounds: int = 0
    errors: list[str] = field(default_factory=list)

    def look(self, objects: Objects) -> None:
        """Read every table once, each new version of it to the last value."""
        for name in FILES:
            content = objects.read(name)
            digest = hashlib.sha256(content).hexdigest()
            if self.versions[name][-1:] != [digest]:
                table = pq.read_table(pa.BufferReader(content))
                table.validate(full=True)
                assert table.num_rows, f"{name} is empty"
                entries = pq.read_metadata(pa.BufferReader(content)).metadata or {}
                self.versions[name].append(digest)
                self.snapshots[name].append(_snapshots(name, entries))
        self.rounds += 1


@contextmanager
def reading(objects: Objects) -> Iterator[Reader]:
    """Read all the while; afterwards, every read must have found a whole table, none older."""
    reader = Reader()
    reader.look(objects)
    ended = threading.Event()

    def read_on() -> None:
        while not ended.wait(PAUSE):
            try:
                reader.look(objects)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test reports it
                reader.errors.append(repr(error))

    thread = threading.Thread(target=read_on, daemon=True)
    thread.start()
    try:
        yield reader
    finally:
        ended.set()
        thread.join()
    reader.look(objects)
    assert reader.errors == []
    assert reader.rounds > 2, "nothing was read while it happened"
    for name, seen in reader.snapshots.items():
        for earlier, later in pairwise(seen):
            assert all(earlier[table] <= later[table] for table in earlier), name


def _snapshots(name: str, entries: dict[bytes, bytes]) -> dict[str, str]:
    if b"starschema.snapshot" in entries:
        return {name: entries[b"starschema.snapshot"].decode()}
    snapshots: dict[str, str] = json.loads(entries[b"starschema.raw_snapshots"])
    return snapshots
