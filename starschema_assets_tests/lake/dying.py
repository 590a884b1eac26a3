"""A process for a test to kill: `python -m … <lake_uri> <scratch> <point>`.

It runs until the named point, prints the point's name, and waits there.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.lake.tables import FACT, LOG, stage


def _wait_at(point: str) -> NoReturn:
    print(point, flush=True)  # noqa: T201 - the test waits for it
    while True:
        time.sleep(60)


def _stage_forever(lake: Lake) -> None:
    def read() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": pa.array(range(300_000))})
        yield pa.record_batch({"n": pa.array(range(300_000))})
        _wait_at("staging")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), read())
    lake.stage(FACT, reader, "killed")


def main(lake_uri: str, scratch: str, point: str) -> None:
    """Take the lock and run until the point."""
    lake = open_lake(Settings(lake_uri=lake_uri, scratch=Path(scratch)))
    with lake.lock("the killed run", LOG):
        if point == "locked":
            _wait_at(point)
        if point == "staging":
            _stage_forever(lake)
        lake.upload(stage(lake, "killed"))
        _wait_at("uploaded")


if __name__ == "__main__":
    main(*sys.argv[1:])
