"""Compares `make run` on the default sample with a Dagster job of thirteen empty assets.

The Dagster instances and the lake are kept between rounds, so the result is the time of a repeated
run.
"""

import logging
import sys
from collections.abc import Iterator

from benchmarks.contenders import SCRIPTS
from benchmarks.process import run
from benchmarks.rounds import Run, log_line, settings_in, workshop
from starschema_assets.settings import CHECKOUT

EMPTY = "thirteen empty assets"
MAKE_RUN = "make run"
COMMANDS = {
    EMPTY: [sys.executable, str(SCRIPTS / "empty_assets.py")],
    MAKE_RUN: ["make", "--no-print-directory", "-C", str(CHECKOUT), "run"],
}

log = logging.getLogger(__name__)


def play_small(rounds: int, timeout: float) -> Iterator[Run]:
    """Run both commands alternately, after one warm-up run of each."""
    with workshop() as empty, workshop() as whole:
        folders = dict(zip(COMMANDS, (empty, whole), strict=True))
        settings = {name: settings_in(folder) for name, folder in folders.items()}
        for number in range(rounds + 1):
            for name, command in COMMANDS.items():
                cost = run(command, settings[name], folders[name], timeout)
                done = Run(name, cost, 0, 0, ())
                if number:
                    log.info("round %s  %s", number, log_line(done))
                    yield done
