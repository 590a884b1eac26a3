"""Compare DuckDB and Spark: both compute the star from the same raw tables.

The raw tables are written directly from the sample, without a database server. `python -m
benchmarks.engines` prints the table in docs/spark.md.
"""

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.__main__ import lines_of
from benchmarks.process import run
from benchmarks.rounds import settings_in, workshop
from benchmarks.source import LINES_OF_SCALE_1
from starschema_assets.engine import quoted
from starschema_assets.lake.lake import open_lake
from starschema_assets.quality.reconciliation import ask_source
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.sample.generate import generate
from starschema_assets.settings import Settings
from starschema_assets.star.models import reconciliations

SCRIPT = Path(__file__).parent / "scripts" / "star.py"
ENGINES = {"duckdb": "DuckDB", "spark": "Spark, local"}
HEADING = (
    "| order lines | engine | seconds | CPU seconds | peak memory | audit | the single writer |\n"
    "|---|---|---|---|---|---|---|"
)

log = logging.getLogger(__name__)


def main() -> None:
    """Measure each engine at each number of lines, sequentially."""
    parser = argparse.ArgumentParser("python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--lines", nargs="+", type=lines_of, default=[1_000_000, 10_000_000])
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one engine")
    options = parser.parse_args()
    print(HEADING)
    for lines in options.lines:
        with workshop() as folder:
            environment = settings_in(folder)
            fill(folder, environment["STARSCHEMA_LAKE_URI"], lines)
            for engine in ENGINES:
                print(measured(engine, folder, environment, options.timeout), flush=True)


def fill(folder: Path, lake_uri: str, wanted: int) -> None:
    """Publish the raw tables of a sample with about `wanted` order lines."""
    database = folder / "sample.duckdb"
    generate(database, max(1, round(wanted / LINES_OF_SCALE_1)), keys=False)
    lake = open_lake(Settings(lake_uri=lake_uri, scratch=folder / "scratch"))
    entries = {"snapshot": "benchmark"}
    with duckdb.connect(database, read_only=True) as source, lake.lock("fill", log):
        source.execute("set memory_limit = '1GB'")

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return source.execute(sql).fetchall()

        figures = {
            declared.table: {declared.entry: json.dumps(ask_source(ask, quoted, declared)[1])}
            for declared in reconciliations()
        }
        for contract in CONTRACTS:
            metadata = entries | figures.get(contract.table, {})
            reader = source.sql(f"from {contract.table}").to_arrow_reader(100_000)
            lake.publish(lake.stage(contract.path, reader, "benchmark", metadata=metadata))
    database.unlink()


def measured(engine: str, folder: Path, environment: dict[str, str], timeout: float) -> str:
    """Run one engine and return a row of the table."""
    file = folder / f"{engine}.json"
    cost = run([sys.executable, SCRIPT, engine, file], environment, folder, timeout)
    if cost.error:
        return f"| | {ENGINES[engine]} | {cost.error} | | | | |"
    found = json.loads(file.read_text())
    seconds = found["writer"]
    cells = (
        f"{found['lines']:,}",
        ENGINES[engine],
        f"{cost.seconds:.1f}",
        f"{cost.cpu_seconds:.1f}",
        f"{cost.peak_bytes / 1e6:,.0f} MB",
        f"{found['audit']:.1f} s",
        f"{seconds:.1f} s: {found['rows'] / seconds:,.0f} rows/s, {found['bytes'] / 1e6:,.0f} MB",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
