"""`python -m benchmarks`, which `make bench` runs."""

import argparse
import logging

from benchmarks.answers import truth
from benchmarks.contenders import CONTENDERS
from benchmarks.rounds import play
from benchmarks.source import source


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--lines", nargs="+", type=_lines, default=[1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for lines in options.lines:
        with source(lines) as data:
            expected = truth(data)
            who = [c for c in CONTENDERS if not options.only or c.name in options.only]
            list(play(who, data, expected, options.rounds, 600))


def _lines(text: str) -> int:
    units = {"k": 1_000, "M": 1_000_000}
    return int(text[:-1]) * units[text[-1]]


if __name__ == "__main__":
    main()
