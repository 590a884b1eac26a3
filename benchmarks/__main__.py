"""Measure, print, and write docs/benchmarks.md (`make bench`)."""

import argparse
import logging
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks.circumstances import circumstances
from benchmarks.contenders import CONTENDERS, SPARK_JOB
from benchmarks.parts import Benchmark
from benchmarks.source import DATA
from starschema_assets import command
from starschema_assets.errors import StarschemaError
from starschema_assets.settings import CHECKOUT
from starschema_assets_tests import mysql_packages
from starschema_assets_tests.servers import KINDS

PAGE = CHECKOUT / "docs" / "benchmarks.md"
PARTS = ("small", "wide", "contenders", "phases", "days", "scan")
UNITS = {"k": 1_000, "M": 1_000_000}
SMALL_ROUNDS = 5

log = logging.getLogger(__name__)


def main() -> None:
    """Run the chosen parts. A failed part is reported at the end and doesn't stop the others."""
    options = _options().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that child processes are ended too
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if not options.page.exists():
        options.page.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PAGE, options.page)
    if options.server == "mysql" and (reason := mysql_packages.look().reason):
        raise StarschemaError(f"No MySQL: {reason}")
    benchmark = Benchmark(
        options.server,
        [c for c in CONTENDERS if c.name in options.only],
        options.rounds,
        options.timeout,
        options.page,
        DATA / "results.json",
        circumstances(options.server, sys.argv[1:]),
    )
    tasks: dict[str, list[Callable[[], None]]] = {
        "small": [lambda: benchmark.small(SMALL_ROUNDS)],
        "wide": [benchmark.wide],
        "contenders": [lambda n=n: benchmark.lines(n) for n in options.lines],  # type: ignore[misc]
        "phases": [lambda: benchmark.phases(_scan_lines(options.lines))],
        "days": [lambda: benchmark.days(_scan_lines(options.lines), options.days)],
        "scan": [lambda: benchmark.scan(_scan_lines(options.lines))],
    }
    causes, traces = [], []
    for part in options.parts:
        for task in tasks[part]:
            try:
                task()
            except Exception as error:  # noqa: BLE001 - the other parts continue after any error
                log.error("The part %s failed; continuing.", part)  # noqa: TRY400 - see below
                causes.append(f"The part {part} failed: {command.cause_of(error)}")
                traces.append(traceback.format_exc())
    print(f"\nWrote {options.page}, its charts, and {benchmark.results}.")
    if causes:
        file = command.keep("\n".join(traces))
        raise StarschemaError("\n".join([*causes, f"The stack traces are in {file}."]))


def _scan_lines(lines: list[int]) -> int:
    """Return the largest number of lines that Spark can process; it writes one of the layouts."""
    most = SPARK_JOB.most_lines or max(lines)
    return max((number for number in lines if number <= most), default=min(lines))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all of them"
    )
    parser.add_argument(
        "--lines",
        nargs="+",
        type=lines_of,
        default=[1_000_000, 10_000_000, 30_000_000],
        help="numbers of order lines, such as 100k or 10M (default: 1M 10M 30M)",
    )
    parser.add_argument(
        "--server", choices=KINDS, default="mariadb", help="database server (default: mariadb)"
    )
    parser.add_argument(
        "--days", type=int, default=30, help="number of days in the part days (default: 30)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (default: 3)")
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, help="contenders (default: all)"
    )
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds for one run of a contender"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write the figures")
    return parser


def lines_of(text: str) -> int:
    try:
        return int(text[:-1]) * UNITS[text[-1]] if text[-1:] in UNITS else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a number such as 500000, 500k or 10M") from None


if __name__ == "__main__":
    command.run(main)
