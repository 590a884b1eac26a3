"""Rebuilds histories from raw tables of earlier days, from the lake or from a folder.

DuckDB rebuilds them on this machine, whichever engine builds the star.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from logging import Logger
from pathlib import Path
from zoneinfo import ZoneInfo

from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import Lake, Version, taken_at
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.model import Model
from starschema_assets.quality.files import types_of
from starschema_assets.settings import Settings
from starschema_assets.star.continuation import Continuation, HistoryRefused, Rebuilt, day_of
from starschema_assets.versions import PREVIOUS, has_text_key


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of the raw tables that histories are built from."""

    name: str
    day: date
    footers: Mapping[str, Footer]
    files: Mapping[str, Version | Path]


@dataclass(frozen=True)
class Rebuilding:
    """Rebuilds the histories of a lake, for a run that holds its lock."""

    lake: Lake
    settings: Settings
    histories: Sequence[Model]
    run_id: str
    log: Logger

    def stage(self, folder: Path | None) -> Rebuilt:
        """Stage the histories up to the last day before that of the published raw tables.

        They are built from the last complete snapshot of each day: from the folder's files
        `<YYYY-MM-DD>/<table>.parquet`, or from those that the lake keeps. Raises HistoryRefused,
        NotPublished and Unreadable.
        """
        if not self.histories:
            raise HistoryRefused("no dimension's contract tracks columns, so there is no history")
        raw = {table: self.lake.footer(("raw", table)) for table in self._tables}
        zone = self.settings.history_timezone
        today = max(day_of(model, raw, zone) for model in self.histories)
        found = self._dated(folder) if folder else self._kept()
        for later in (snapshot for snapshot in found if snapshot.day > today):
            reason = f"{later.name} is later than the published raw tables, which are of {today}"
            if folder:
                raise HistoryRefused(f"{reason}: refresh them first")
            self.log.warning("Left out: %s", reason)
        days = {snapshot.day: snapshot for snapshot in found if snapshot.day < today}
        for snapshot in days.values():
            self._verify(snapshot)
        self.log.info("Histories are built from: %s", ", ".join(map(str, [*days, today])))
        rebuilt: dict[str, Path] = {}
        sources: set[str] = set()
        for snapshot in days.values():
            sources |= {f.metadata.get("source", "") for f in snapshot.footers.values()} - {""}
            for model in self.histories:
                before = rebuilt.get(model.contract.table)
                rebuilt[model.contract.table] = self._go_on(model, snapshot, before, sources)
                if before:
                    before.unlink()
        return rebuilt

    def _go_on(
        self, model: Model, snapshot: Snapshot, before: Path | None, sources: Iterable[str]
    ) -> Path:
        """Stage a history with one more day."""
        contract = model.contract
        previous = read_footer(before) if before else None
        goes_on = Continuation(contract, snapshot.day, previous, None, "", sorted(sources))
        snapshots = {t: snapshot.footers[t].metadata.get("snapshot", "") for t in model.raw_tables}
        with closing(DuckDBEngine(self.lake.fetch, self.settings)) as engine:
            for table in model.raw_tables:
                file = snapshot.files[table]
                path = file if isinstance(file, Path) else self.lake.fetch(("raw", table), file)
                engine.add(("raw", table), path)
            if before:
                engine.add((PREVIOUS, contract.table), before)
            versions = previous.rows if previous and not has_text_key(contract) else 0
            return self.lake.stage(
                (PREVIOUS, str(snapshot.day), contract.table),
                engine.rows(model, versions, goes_on.sql),
                self.run_id,
                metadata=goes_on.entries | {"raw_snapshots": json.dumps(snapshots)},
            ).path

    def _kept(self) -> list[Snapshot]:
        """Return the complete snapshots that the lake keeps, oldest first."""
        found: dict[str, dict[str, tuple[Version, Footer]]] = {}
        for table in self._tables:
            for version in self.lake.versions(("raw", table)):
                footer = self.lake.footer(("raw", table), version)
                if name := footer.metadata.get("snapshot"):
                    found.setdefault(name, {})[table] = version, footer
        zone = ZoneInfo(self.settings.history_timezone)
        whole = []
        for name, of_table in sorted(found.items()):
            if missing := [table for table in self._tables if table not in of_table]:
                self.log.warning("Left out: snapshot %s lacks %s", name, ", ".join(missing))
                continue
            footers = {table: footer for table, (_, footer) in of_table.items()}
            versions = {table: version for table, (version, _) in of_table.items()}
            day = taken_at(name).astimezone(zone).date()
            whole.append(Snapshot(f"snapshot {name}", day, footers, versions))
        return whole

    def _dated(self, folder: Path) -> list[Snapshot]:
        """Return the complete snapshots in the folder, oldest first."""
        if not folder.is_dir():
            raise HistoryRefused(f"{folder} is not a folder")
        whole, left_out = [], []
        for each in sorted(path for path in folder.iterdir() if path.is_dir()):
            day = _day(each)
            files = {table: each / f"{table}.parquet" for table in self._tables}
            if missing := [file.name for file in files.values() if not file.is_file()]:
                left_out.append(f"{each.name} lacks {', '.join(missing)}")
                continue
            footers = {table: read_footer(file) for table, file in files.items()}
            whole.append(Snapshot(str(each), day, footers, files))
        if not whole:
            found = "; ".join(left_out) or f"no file such as 2026-01-05/{self._tables[0]}.parquet"
            raise HistoryRefused(f"{folder} has no complete snapshot: {found}")
        if left_out:
            self.log.warning("Left out: %s", "; ".join(left_out))
        return whole

    def _verify(self, snapshot: Snapshot) -> None:
        """Raise HistoryRefused if the raw tables lack columns that the histories need."""
        for model in self.histories:
            types = {
                (c.table, column.name): column.type for c in model.sources for column in c.columns
            }
            for table, column in sorted(model.raw_columns):
                actual = types_of(snapshot.footers[table].schema).get(column, "missing")
                if actual != types[table, column]:
                    raise HistoryRefused(
                        f"{snapshot.name}: {table}.{column} is {actual}, but "
                        f"{types[table, column]} in the contract of raw/{table}"
                    )

    @property
    def _tables(self) -> list[str]:
        return sorted({table for model in self.histories for table in model.raw_tables})


def _day(folder: Path) -> date:
    with suppress(ValueError):
        day = date.fromisoformat(folder.name)
        if str(day) == folder.name:
            return day
    raise HistoryRefused(f"{folder} is not named after a day, YYYY-MM-DD: rename or remove it")
