"""Computes and audits only the star, with one engine and without Dagster, from existing raw tables.

`python star.py duckdb|spark FILE` writes the seconds of each part to FILE.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import Lake, StagedTable, open_lake
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS
from starschema_assets.star.transformation import Transformation

RUN = "benchmark"


def main(name: str, file: Path) -> None:
    """Stage and audit every table without publishing it."""
    settings = Settings()
    lake = open_lake(settings)
    written: list[tuple[float, StagedTable]] = []
    _time_the_writer(lake, written)
    began = time.perf_counter()
    opened = _spark if name == "spark" else _duckdb
    with lake.lock(RUN, logging.getLogger(RUN)), opened(lake, settings) as star:
        star.stage(MODELS, RUN)
        staged = time.perf_counter()
        blocked = [finding.title for finding in star.findings(MODELS) if finding.blocks]
        figures = {
            "stage": staged - began,
            "audit": time.perf_counter() - staged,
            "writer": sum(seconds for seconds, _ in written),
            "lines": next(t.rows for _, t in written if t.table[-1] == "fact_orders"),
            "rows": sum(table.rows for _, table in written),
            "bytes": sum(table.bytes for _, table in written),
        }
    if blocked:
        sys.exit(f"blocked by {', '.join(blocked)}")
    file.write_text(json.dumps(figures))


def _time_the_writer(lake: Lake, written: list[tuple[float, StagedTable]]) -> None:
    stage = lake.stage

    def timed(*arguments: Any, **options: Any) -> StagedTable:
        began = time.perf_counter()
        staged = stage(*arguments, **options)
        written.append((time.perf_counter() - began, staged))
        return staged

    vars(lake)["stage"] = timed


@contextmanager
def _duckdb(lake: Lake, settings: Settings) -> Iterator[Transformation]:
    yield Transformation(DuckDBEngine(lake.fetch, settings), lake, settings, MODELS)


@contextmanager
def _spark(lake: Lake, settings: Settings) -> Iterator[Transformation]:
    from starschema_assets.spark.engine import (  # noqa: PLC0415 - needs PySpark
        SparkEngine,
        SparkTables,
        open_session,
    )
    from starschema_assets.spark.files import open_files  # noqa: PLC0415 - loads boto3

    session = open_session()
    with open_files(lake, settings, RUN, on_cluster=False) as files:
        engine = SparkEngine(SparkTables(session), files)
        yield Transformation(engine, lake, settings, MODELS)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
