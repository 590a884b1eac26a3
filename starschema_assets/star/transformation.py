"""One transformation: star tables made from the published raw tables, staged and audited."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from starschema_assets import engine
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.provenance import written_by
from starschema_assets.quality.files import not_there
from starschema_assets.quality.finding import Finding
from starschema_assets.settings import Settings
from starschema_assets.star.audit import StarAudit
from starschema_assets.star.models import MODELS, Model
from starschema_assets.star.origins import origins

BATCH_ROWS = 50_000


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
                # A table, since several models read it and its keys take long to compute
                self.connection.execute(f'create table if not exists star."{step}" as {sql}')
            relation = self.connection.sql(model.sql)
            staged.append(
                self.lake.stage(
                    model.contract.path,
                    relation.to_arrow_reader(BATCH_ROWS),
                    schema=None,
                    metadata=written_by(run_id) | origins(model, footers),
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
        footers = {table: read_footer(file) for table, file in self.files.items()}
        audit = StarAudit(engine.DuckDBTables(self.connection), self.settings)
        yield from audit.findings(models, footers)

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
