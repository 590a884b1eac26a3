"""The parts of a benchmark. Each measures, and writes its results to a section of the page."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import charts, page, tables, targets
from benchmarks.answers import truth
from benchmarks.contenders import Contender
from benchmarks.days import SHARE, Day, play_days
from benchmarks.layouts import compared
from benchmarks.phases import phases_of, phases_table
from benchmarks.rounds import Run, play
from benchmarks.small import play_small
from benchmarks.source import source
from benchmarks.summary import Summary, summarised
from benchmarks.wide import play_wide

PEERS_READ = "mariadb"
"""Server for the charts and for the comparison with peers."""

log = logging.getLogger(__name__)


@dataclass
class Benchmark:
    """One call of `make bench`: its options, its results, and the files to write."""

    server: str
    """The kind of database server in the parts with order lines."""
    contenders: Sequence[Contender]
    rounds: int
    timeout: float
    page: Path
    results: Path
    circumstances: dict[str, str]
    measured: dict[str, Any] = field(default_factory=dict)
    """All results so far, which are written to the file of results."""
    by_lines: dict[int, dict[str, Summary]] = field(default_factory=dict)

    def lines(self, lines: int) -> None:
        """Measure all contenders that can process this number of order lines."""
        contenders = [c for c in self.contenders if lines <= (c.most_lines or lines)]
        with source(self.server, lines) as data:
            expected = truth(data)
            runs: list[Run] = []
            try:
                for run in play(contenders, data, expected, self.rounds, self.timeout):
                    runs.append(run)
                    self._keep(f"{lines} lines, {self.server}", runs)
            finally:  # also write the results before a failure
                if runs:
                    self.by_lines[expected.lines] = summarised(runs)
                    self._write_contenders()
        if len(self.by_lines) > 1 and self.server == PEERS_READ:
            self._write_growth()

    def small(self, rounds: int) -> None:
        """Measure `make run` on the default data."""
        runs = list(play_small(rounds, self.timeout))
        found = summarised(runs)
        self._keep("small", runs)
        self._section("small", tables.small(found), tables.targets(targets.of_small(found)))

    def wide(self) -> None:
        """Measure a refresh of a table with wide rows."""
        runs = list(play_wide(self.timeout))
        found = summarised(runs)
        self._keep("wide", runs)
        target = targets.of_memory("peak memory with wide rows", found["refresh"])
        self._section("wide", tables.contenders(found), tables.targets([target]))

    def phases(self, lines: int) -> None:
        """Measure the phases of a refresh."""
        with source(self.server, lines) as data:
            expected = truth(data)  # which also brings the data into the server's memory
            found = phases_of(data, self.timeout)
        self._section("phases", f"{expected.lines:,} order lines, once.", phases_table(found))

    def days(self, lines: int, days: int) -> None:
        """Measure refreshes on `days` days, between which customers change."""
        found: list[Day] = []
        with source(self.server, lines) as data:
            expected = truth(data)  # which also brings the data into the server's memory
            for day in play_days(data, days, self.timeout):
                found.append(day)
                self._keep("days", found)
        said = f"{expected.lines:,} order lines; one of {SHARE} customers changes each day."
        self._section("days", said, tables.days(found), tables.targets(targets.of_days(found)))

    def scan(self, lines: int) -> None:
        """Measure the bytes that queries read from the files."""
        with source(self.server, lines) as data:
            expected = truth(data)
            scans, ours, usual = compared(data, expected, self.timeout)
        self._keep("scan", scans)
        charts.scans(scans, self._image("scan"))
        self._section(
            "scan",
            f"{expected.lines:,} order lines. `fact_orders` of this project: {ours}. The same rows "
            f"written by the usual job: {usual}.",
            tables.scans(scans),
            tables.targets(targets.of_scans(scans)),
            "![Bytes to scan](images/bench-scan.svg)",
        )

    def _write_contenders(self) -> None:
        if self.server != PEERS_READ:
            self._section(f"contenders on {self.server}", *self._of_each_scale())
            return
        most = max(self.by_lines, key=lambda lines: (len(self.by_lines[lines]), lines))
        charts.contenders(self.by_lines[most], most, self._image("contenders"))
        self._section(
            "contenders", *self._of_each_scale(), "![Time and memory](images/bench-contenders.svg)"
        )

    def _of_each_scale(self) -> Iterator[str]:
        for lines, found in sorted(self.by_lines.items(), reverse=True):
            rounds = max(summary.rounds for summary in found.values())
            yield f"### {lines:,} order lines"
            yield f"Rounds: {rounds}."
            yield tables.contenders(found)
            yield tables.where_peers_are_better(found)
            yield tables.targets(targets.of_contenders(found, lines))

    def _write_growth(self) -> None:
        charts.growth(self.by_lines, self._image("growth"))
        self._section(
            "growth",
            tables.growth(self.by_lines),
            tables.targets(targets.of_growth(self.by_lines)),
            "![Growth](images/bench-growth.svg)",
        )

    def _image(self, name: str) -> Path:
        return self.page.parent / "images" / f"bench-{name}.svg"

    def _keep(self, name: str, found: Sequence[Any]) -> None:
        """Add results, and write all results so far to the file."""
        self.measured[name] = [asdict(one) for one in found]
        self.results.parent.mkdir(parents=True, exist_ok=True)
        whole = {"circumstances": self.circumstances, "measured": self.measured}
        self.results.write_text(json.dumps(whole, indent=1), encoding="utf-8")

    def _section(self, name: str, *paragraphs: str) -> None:
        where = "\n".join(f"- {name}: {said}" for name, said in self.circumstances.items())
        said = "\n\n".join(filter(None, paragraphs))
        details = f"<details><summary>Measured with</summary>\n\n{where}\n\n</details>"
        page.write(self.page, name, f"{said}\n\n{details}")
        print(f"\n{said}\n")
