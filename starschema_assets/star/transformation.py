"""One transformation: star tables made from the published raw tables, staged and audited."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from starschema_assets.contract import ONE_SNAPSHOT, Contract, newest_check
from starschema_assets.lake.errors import LakeError, NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable, Table, mapping_of, name_of
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.model import Model
from starschema_assets.quality.audit import RowAudit, Tables, audit_references, audit_table
from starschema_assets.quality.files import Finding, not_there
from starschema_assets.quality.reconciliation import matches_source
from starschema_assets.settings import Settings


class Engine(Protocol):
    """Makes star tables; those that it can read stand under their paths, e.g. `raw.sales`."""

    def read(self, table: Table) -> None:
        """Make the published version of a table readable."""

    def rows(self, model: Model, raw_rows: int) -> pa.RecordBatchReader:
        """The rows of a star table in their order, made from the raw tables that are readable.

        `raw_rows` is the number of rows of the largest of them.
        """

    def replace(self, staged: Mapping[Table, Path]) -> None:
        """Make staged tables readable in the place of the published ones, to be audited."""

    @property
    def tables(self) -> Tables:
        """What is readable, for an audit to ask."""


class Transformation:
    """Makes star tables, and judges them beside the ones that are published."""

    def __init__(
        self, engine: Engine, lake: Lake, settings: Settings, models: Sequence[Model]
    ) -> None:
        """`models` are those of the whole star, in the order of publication."""
        self._engine = engine
        self._lake = lake
        self._settings = settings
        self._models = models
        self._footers: dict[str, Footer] = {}
        """Of each star table that is judged or referred to: the staged, or else the published."""

    def stage(self, models: Sequence[Model], run_id: str) -> list[StagedTable]:
        """Stage the tables. Raises NotPublished if a raw table that they need is missing."""
        needed = sorted({table for model in models for table in model.raw_tables})
        raw = {table: self._read(("raw", table)) for table in needed}
        staged = [self._stage(model, raw, run_id) for model in models]
        self._engine.replace({table.table: table.path for table in staged})
        for table in staged:
            self._verify_rows(table)
        self._footers |= {table.table[-1]: read_footer(table.path) for table in staged}
        return staged

    def findings(self, models: Sequence[Model]) -> Iterator[Finding]:
        """Judge the given tables, and the references of all others to them."""
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
        rows = self._engine.rows(
            model, max((footer.rows for footer in made_of.values()), default=0)
        )
        return self._lake.stage(
            model.contract.path,
            rows,
            run_id,
            metadata=_origins(model, made_of),
            sorted_by=model.contract.sorted_by,
        )

    def _verify_rows(self, staged: StagedTable) -> None:
        """Raise LakeError unless what is audited has the rows of the file that is published."""
        _, ((rows,),) = self._engine.tables.fetch(f"select count(*) from {'.'.join(staged.table)}")
        if rows != staged.rows:
            raise LakeError(
                f"{name_of(staged.table)}: the engine made {rows} rows; {staged.rows} were staged."
            )

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
        yield _one_snapshot(contract, mapping_of(footer.metadata, "raw_snapshots"))
        if table[0].passed:
            tables, today = self._engine.tables, datetime.now(UTC).date()
            yield from matches_source(tables, contract, footer.metadata)
            yield from _newest(tables, contract, today, self._settings.max_order_age)


def _origins(model: Model, raw: Mapping[str, Footer]) -> dict[str, str]:
    """The snapshot of each raw table, and the sums that the table is reconciled with."""
    snapshots = {table: raw[table].metadata.get("snapshot", "no snapshot") for table in raw}
    entries = {"raw_snapshots": json.dumps(snapshots)}
    if declared := model.contract.reconciliation:
        of_source = raw[declared.table].metadata
        entries |= {name: of_source[name] for name in of_source if name == declared.entry}
    return entries


def _one_snapshot(contract: Contract, snapshots: Mapping[str, str]) -> Finding:
    """Compare the snapshots of the raw tables that a star table was made of."""
    passed = len(set(snapshots.values())) <= 1
    message = "; ".join(f"raw/{table} is of {snapshot}" for table, snapshot in snapshots.items())
    return Finding(contract, ONE_SNAPSHOT, passed=passed, message="" if passed else message)


def _newest(
    tables: Tables, contract: Contract, today: date, max_age: int | None
) -> Iterator[Finding]:
    """Look at the newest date; `max_age` in days, None if its age doesn't matter."""
    check = newest_check(contract)
    if check is None or contract.newest is None:
        return
    column = contract.newest.column
    _, ((found,),) = tables.fetch(f"select max({column}) from {contract.stage}.{contract.table}")
    age = (today - found).days if found else None
    passed = age is not None and age >= 0 and (max_age is None or age <= max_age)
    yield Finding(contract, check, passed=passed, message=f"the newest {column} is {found}")
