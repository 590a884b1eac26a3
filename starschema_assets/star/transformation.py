"""One transformation: star tables made from the published raw tables, staged and audited."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from starschema_assets import engine
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.lake.provenance import written_by
from starschema_assets.quality.files import not_there
from starschema_assets.quality.finding import Finding
from starschema_assets.settings import Settings
from starschema_assets.star.audit import StarAudit
from starschema_assets.star.models import MODELS, Model
from starschema_assets.star.origins import origins
from starschema_assets.star.slices import rows_of
from starschema_assets.star.steps import make_step


class Transformation:
    """Makes star tables, and judges them beside the ones that are published.

    Each with a database of its own, so that the audit has the memory that the making took.
    """

    def __init__(self, lake: Lake, settings: Settings) -> None:
        """Nothing is read yet."""
        self.lake = lake
        self.settings = settings
        self.files: dict[str, Path] = {}
        """The version of each table that is judged: the staged, or else the published one."""

    def stage(self, models: Sequence[Model], run_id: str) -> list[StagedTable]:
        """Stage the tables. Raises NotPublished if a raw table that they need is missing."""
        with engine.connect(self.settings) as connection:
            connection.execute("create schema star")
            raw = {
                table: self._add_raw(connection, table)
                for table in sorted({table for model in models for table in model.raw_tables})
            }
            staged = [self._stage(connection, model, raw, run_id) for model in models]
        self.files |= {table.table[-1]: table.path for table in staged}
        return staged

    def findings(self, models: Sequence[Model]) -> Iterator[Finding]:
        """Judge the given tables, and the references of all others to them."""
        for model in MODELS:
            if model.contract.table not in self.files:
                yield from self._find_published(model, is_judged=model in models)
        footers = {table: read_footer(file) for table, file in self.files.items()}
        with engine.connect(self.settings) as connection:
            for table, file in self.files.items():
                engine.add_view(connection, ("star", table), file)
            audit = StarAudit(engine.DuckDBTables(connection), self.settings)
            yield from audit.findings(models, footers)

    def _stage(
        self,
        connection: duckdb.DuckDBPyConnection,
        model: Model,
        raw: Mapping[str, Footer],
        run_id: str,
    ) -> StagedTable:
        for step, sql in model.steps.items():
            make_step(connection, step, sql)
        return self.lake.stage(
            model.contract.path,
            rows_of(model, connection, raw),
            schema=None,
            metadata=written_by(run_id) | origins(model, raw),
            sorted_by=model.contract.sorted_by,
        )

    def _find_published(self, model: Model, *, is_judged: bool) -> Iterator[Finding]:
        try:
            file = self.lake.fetch(model.contract.path)
            read_footer(file)
        except (NotPublished, Unreadable) as error:
            if is_judged:
                yield not_there(model.contract, str(error))
        else:
            self.files[model.contract.table] = file

    def _add_raw(self, connection: duckdb.DuckDBPyConnection, table: str) -> Footer:
        file = self.lake.fetch(("raw", table))
        engine.add_view(connection, ("raw", table), file)
        return read_footer(file)
