"""Builds star tables from the published raw tables, stages them and audits them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from starschema_assets.checks import NOTHING_LOST
from starschema_assets.contract import Contract, newest_check
from starschema_assets.lake.errors import LakeError, NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable, Table, mapping_of, name_of
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.model import Model, PartSQL
from starschema_assets.quality.audit import RowAudit, Tables, audit_references, audit_table
from starschema_assets.quality.files import Finding, not_there, one_snapshot
from starschema_assets.quality.history import (
    new_versions,
    not_begun_anew,
    nothing_lost,
    nothing_lost_by_rebuild,
    one_version_a_day,
    same_history,
)
from starschema_assets.quality.reconciliation import matches_source
from starschema_assets.settings import Settings
from starschema_assets.star.continuation import (
    Continuation,
    Rebuilt,
    continuation,
    verify_same_snapshots,
)
from starschema_assets.versions import PREVIOUS, has_text_key


class Engine(Protocol):
    """Computes star tables. It reads a table by its path, e.g. `raw.sales`."""

    def read(self, table: Table, schema: str | None = None) -> None:
        """Make the published version of a table readable, in its own schema or in another."""

    def rows(self, model: Model, largest: int, part_sql: PartSQL | None) -> pa.RecordBatchReader:
        """Return the rows of a star table in their order, computed from the readable tables.

        `largest` is the number of rows of the largest of these. `part_sql` replaces the model's
        own query.
        """

    def add(self, table: Table, file: Path) -> None:
        """Make a staged table readable, so that other tables can be built from it."""

    def replace(self, staged: Mapping[Table, Path]) -> None:
        """Make staged tables readable in place of the published ones, to be audited."""

    @property
    def tables(self) -> Tables:
        """The readable tables, for an audit to query."""


class Transformation:
    """Stages star tables, and checks them together with the published ones."""

    def __init__(
        self,
        engine: Engine,
        lake: Lake,
        settings: Settings,
        models: Sequence[Model],
        rebuilt: Rebuilt | None = None,
    ) -> None:
        """Take the models of the whole star, in the order of publication.

        With `rebuilt`, histories continue from these files instead of the published ones. A history
        that isn't among them starts anew.
        """
        self._engine = engine
        self._rebuilt = rebuilt
        self._lake = lake
        self._settings = settings
        self._models = models
        self._footers: dict[str, Footer] = {}
        """Of each table that is checked or referred to: of the staged file, else the published."""
        self._continuations: dict[str, Continuation] = {}
        """Of each staged history."""

    def stage(self, models: Sequence[Model], run_id: str) -> list[StagedTable]:
        """Stage the tables, histories before the tables that are built from them.

        Raises NotPublished if a needed table is missing, and HistoryRefused.
        """
        needed = sorted({table for model in models for table in model.raw_tables})
        raw = {table: self._read(("raw", table)) for table in needed}
        staged: dict[str, StagedTable] = {}
        for model in sorted(models, key=lambda model: model.contract.dimension is None):
            if model.contract.dimension:
                table = self._stage_history(model, raw, run_id)
                self._engine.add(table.table, table.path)
            else:
                self._read_histories(model)
                table = self._stage(model, raw, run_id)
            staged[model.contract.table] = table
            self._footers[model.contract.table] = read_footer(table.path)
        in_order = [staged[model.contract.table] for model in models]
        self._engine.replace({table.table: table.path for table in in_order})
        for table in in_order:
            self._verify_rows(table)
        self._footers = {name: self._footers[name] for name in staged}
        return in_order

    def findings(self, models: Sequence[Model]) -> Iterator[Finding]:
        """Check the given tables, and the references of all other tables to them."""
        for model in self._models:
            if model.contract.table not in self._footers:
                yield from self._find_published(model, is_judged=model in models)
        audit = RowAudit(self._engine.tables)
        keys = {model.contract.table: model.contract.key for model in self._models}
        changed = {model.contract.table for model in models}
        for model in self._models:
            contract = model.contract
            if contract.table not in self._footers:
                continue
            if model in models:
                yield from self._audit(audit, model, self._footers[contract.table])
            only = None if model in models else changed
            yield from audit_references(audit, contract, keys, self._footers, only)

    def _read(self, table: Table) -> Footer:
        footer = self._lake.footer(table)
        self._engine.read(table)
        return footer

    def _stage(self, model: Model, raw: Mapping[str, Footer], run_id: str) -> StagedTable:
        made_of = {table: raw[table] for table in model.raw_tables}
        largest = max((footer.rows for footer in made_of.values()), default=0)
        histories = {
            history.contract.table: self._footers[history.contract.table]
            for history in model.read_histories
        }
        return self._lake.stage(
            model.contract.path,
            self._engine.rows(model, largest, None),
            run_id,
            metadata=_origins(model, made_of, histories),
            sorted_by=model.contract.sorted_by,
        )

    def _verify_rows(self, staged: StagedTable) -> None:
        """Raise LakeError unless the engine reads as many rows as were staged."""
        _, ((rows,),) = self._engine.tables.fetch(f"select count(*) from {'.'.join(staged.table)}")
        if rows != staged.rows:
            raise LakeError(
                f"{name_of(staged.table)}: the engine made {rows} rows; {staged.rows} were staged."
            )

    def _stage_history(self, model: Model, raw: Mapping[str, Footer], run_id: str) -> StagedTable:
        contract = model.contract
        made_of = {table: raw[table] for table in model.raw_tables}
        timezone = self._settings.history_timezone
        goes_on = continuation(
            model, self._lake, raw, self._models, timezone, rebuilt=self._rebuilt
        )
        self._continuations[contract.table] = goes_on
        versions = goes_on.previous.rows if goes_on.previous else 0
        if goes_on.previous and self._rebuilt:
            self._engine.add((PREVIOUS, contract.table), self._rebuilt[contract.table])
        elif goes_on.previous:
            self._engine.read(contract.path, PREVIOUS)
        largest = 0 if has_text_key(contract) else versions
        return self._lake.stage(
            contract.path,
            self._engine.rows(model, largest, goes_on.sql),
            run_id,
            metadata=_origins(model, made_of) | goes_on.entries,
            sorted_by=contract.sorted_by,
            digest=True,
        )

    def _read_histories(self, model: Model) -> None:
        """Make readable the published histories that the table needs and that aren't staged.

        Raises HistoryRefused if they come from other snapshots than the raw tables.
        """
        for history in model.read_histories:
            if history.contract.table in self._footers:
                continue
            footer = self._read(history.contract.path)
            self._footers[history.contract.table] = footer
            verify_same_snapshots(model.contract, history.contract, footer, self._lake)

    def _find_published(self, model: Model, *, is_judged: bool) -> Iterator[Finding]:
        try:
            self._footers[model.contract.table] = self._read(model.contract.path)
        except (NotPublished, Unreadable) as error:
            if is_judged:
                yield not_there(model.contract, str(error))

    def _audit(self, audit: RowAudit, model: Model, footer: Footer) -> Iterator[Finding]:
        contract = model.contract
        table = list(audit_table(audit, contract, footer.schema))
        yield from table
        yield one_snapshot(contract, mapping_of(footer.metadata, "raw_snapshots"))
        if table[0].passed:
            tables, today = self._engine.tables, datetime.now(UTC).date()
            yield from matches_source(tables, contract, footer.metadata)
            yield from _newest(tables, contract, today, self._settings.max_order_age)
            if contract.dimension:
                yield from self._audit_history(contract, footer)
            if any(key.day for key in contract.foreign_keys):
                yield self._same_history(model, footer)

    def _audit_history(self, contract: Contract, footer: Footer) -> Iterator[Finding]:
        tables, limit = self._engine.tables, self._settings.max_new_versions
        goes_on = self._continuations.get(contract.table)
        is_rebuilt = bool(goes_on) and self._rebuilt is not None
        yield one_version_a_day(tables, contract)
        since = date.min if is_rebuilt else date.fromisoformat(footer.metadata["day"])
        yield new_versions(tables, contract, since, limit)
        yield not_begun_anew(contract, goes_on.trace if goes_on else "")
        if goes_on and goes_on.replaced:
            self._engine.read(contract.path, PREVIOUS)
            yield nothing_lost_by_rebuild(tables, contract, goes_on.day, goes_on.replaced)
        elif goes_on and goes_on.previous and not is_rebuilt:
            self._engine.read(contract.path, PREVIOUS)
            added = {name for name, day in goes_on.filled.items() if day == str(goes_on.day)}
            stored = {*goes_on.stored} - added
            yield nothing_lost(tables, contract, goes_on.day, stored, goes_on.previous.rows)
        else:
            message = "there is no earlier history" if goes_on else "compared only when it is built"
            yield Finding(contract, NOTHING_LOST, passed=True, message=message)

    def _same_history(self, model: Model, footer: Footer) -> Finding:
        digests = {
            history.contract.table: self._footers[history.contract.table].metadata.get("digest", "")
            for history in model.read_histories
            if history.contract.table in self._footers
        }
        return same_history(model.contract, mapping_of(footer.metadata, "histories"), digests)


def _origins(
    model: Model, raw: Mapping[str, Footer], histories: Mapping[str, Footer] | None = None
) -> dict[str, str]:
    """Return the snapshots and digests of the inputs, and the source's sums to reconcile with."""
    snapshots: dict[str, str] = {}
    for footer in (histories or {}).values():
        snapshots |= mapping_of(footer.metadata, "raw_snapshots")
    snapshots |= {table: raw[table].metadata.get("snapshot", "no snapshot") for table in raw}
    entries = {"raw_snapshots": json.dumps(snapshots)}
    if histories:
        digests = {name: footer.metadata["digest"] for name, footer in histories.items()}
        entries["histories"] = json.dumps(digests)
    if declared := model.contract.reconciliation:
        of_source = raw[declared.table].metadata
        entries |= {name: of_source[name] for name in of_source if name == declared.entry}
    return entries


def _newest(
    tables: Tables, contract: Contract, today: date, max_age: int | None
) -> Iterator[Finding]:
    """Check the newest date. `max_age` is in days, None if the age doesn't matter."""
    check = newest_check(contract)
    if check is None or contract.newest is None:
        return
    column = contract.newest.column
    _, ((found,),) = tables.fetch(f"select max({column}) from {contract.stage}.{contract.table}")
    age = (today - found).days if found else None
    passed = age is not None and age >= 0 and (max_age is None or age <= max_age)
    yield Finding(contract, check, passed=passed, message=f"the newest {column} is {found}")
