"""One transformation: star tables made from the published raw tables, staged and audited."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from starschema_assets import engine
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.provenance import figures_of, mapping_of, written_by
from starschema_assets.quality import star as star_audit
from starschema_assets.quality.audit import audit_references, audit_table
from starschema_assets.quality.checks import FACT
from starschema_assets.quality.files import not_there
from starschema_assets.quality.finding import Finding
from starschema_assets.quality.rows import RowAudit
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS, Model

BATCH_ROWS = 100_000
KEYS = {model.contract.table: model.contract.key for model in MODELS}


class Transformation:
    """Makes star tables, and judges them beside the ones that are published."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings
    ) -> None:
        """`connection` is an empty database that is this transformation's own."""
        self.connection = connection
        self.lake = lake
        self.settings = settings
        self.files: dict[str, Path] = {}
        """The version of each table that is judged: the staged, or else the published one."""
        connection.execute("create schema star")

    def stage(self, models: Sequence[Model], run_id: str) -> list[StagedTable]:
        """Stage the tables. Raises NotPublished if a raw table that they need is missing."""
        footers = {
            table: self._add_raw(table)
            for table in sorted({table for model in models for table in model.raw_tables})
        }
        staged = []
        for model in models:
            for step, sql in model.steps.items():
                self.connection.execute(f'create or replace view star."{step}" as {sql}')
            relation = self.connection.sql(model.sql)
            staged.append(
                self.lake.stage(
                    model.contract.path,
                    relation.to_arrow_reader(BATCH_ROWS),
                    schema=None,
                    metadata=written_by(run_id) | _origins(model, footers),
                    sorted_by=model.contract.sorted_by,
                )
            )
        for model, table in zip(models, staged, strict=True):
            self._put(model, table.path)
        return staged

    def findings(self, models: Sequence[Model]) -> Iterator[Finding]:
        """Judge the given tables, and the references of all others to them."""
        for model in MODELS:
            if model.contract.table not in self.files:
                yield from self._add_published(model, is_judged=model in models)
        audit = RowAudit(self.connection)
        changed = {model.contract.table for model in models}
        for model in MODELS:
            if model.contract.table not in self.files:
                continue
            if model in models:
                yield from self._table(audit, model)
            yield from audit_references(
                audit, model.contract, KEYS, self.files, None if model in models else changed
            )

    def _table(self, audit: RowAudit, model: Model) -> Iterator[Finding]:
        contract = model.contract
        footer = read_footer(self.files[contract.table])
        table = list(audit_table(audit, contract, footer.schema))
        yield from table
        snapshots = mapping_of(footer.metadata, "raw_snapshots")
        yield star_audit.one_snapshot(contract, snapshots)
        if contract.table == FACT and table[0].passed:
            figures = figures_of(footer.metadata)
            yield star_audit.matches_source(self.connection, contract, figures)
            today = datetime.now(UTC).date()
            yield star_audit.newest_order(
                self.connection, contract, today, self.settings.max_order_age
            )

    def _add_published(self, model: Model, *, is_judged: bool) -> Iterator[Finding]:
        try:
            file = self.lake.fetch(model.contract.path)
            read_footer(file)
        except (NotPublished, Unreadable) as error:
            if is_judged:
                yield not_there(model.contract, str(error))
        else:
            self._put(model, file)

    def _put(self, model: Model, file: Path) -> None:
        engine.add_view(self.connection, model.contract.path, file)
        self.files[model.contract.table] = file

    def _add_raw(self, table: str) -> Footer:
        file = self.lake.fetch(("raw", table))
        engine.add_view(self.connection, ("raw", table), file)
        return read_footer(file)


def _origins(model: Model, raw: dict[str, Footer]) -> dict[str, str]:
    snapshots = {
        table: raw[table].metadata.get("snapshot", "no snapshot") for table in model.raw_tables
    }
    entries = {"raw_snapshots": json.dumps(snapshots)}
    if model.contract.table == FACT and "order_figures" in raw["orderdetails"].metadata:
        entries["order_figures"] = raw["orderdetails"].metadata["order_figures"]
    return entries
