"""The transformation on Spark: star tables made in parts, staged as one file each, and audited."""

from collections.abc import Iterator, Sequence

from starschema_assets.lake.errors import LakeError, NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.lake.provenance import written_by
from starschema_assets.quality.files import not_there
from starschema_assets.quality.finding import Finding
from starschema_assets.settings import Settings
from starschema_assets.spark.files import Files, read_parts
from starschema_assets.spark.tables import SparkTables
from starschema_assets.star.audit import StarAudit
from starschema_assets.star.models import MODELS, Model
from starschema_assets.star.origins import origins


class SparkTransformation:
    """Makes star tables, and judges them beside the ones that are published."""

    def __init__(self, tables: SparkTables, files: Files, lake: Lake, settings: Settings) -> None:
        self._tables = tables
        self._files = files
        self._lake = lake
        self._settings = settings
        self._footers: dict[str, Footer] = {}
        """Of each table that is judged or referred to: the staged, or else the published one."""

    def stage(self, models: Sequence[Model], run_id: str) -> list[StagedTable]:
        """Stage the tables. Raises NotPublished if a raw table that they need is missing."""
        raw = {
            table: self._add_raw(table)
            for table in sorted({table for model in models for table in model.raw_tables})
        }
        staged = [self._stage(model, written_by(run_id) | origins(model, raw)) for model in models]
        for model, table in zip(models, staged, strict=True):
            self._tables.add(model.contract.path, self._files.staging(model.contract.path))
            self._verify(model, table)
            self._footers[model.contract.table] = read_footer(table.path)
        return staged

    def findings(self, models: Sequence[Model]) -> Iterator[Finding]:
        """Judge the given tables, and the references of all others to them."""
        for model in MODELS:
            if model.contract.table not in self._footers:
                yield from self._add_published(model, is_judged=model in models)
        yield from StarAudit(self._tables, self._settings).findings(models, self._footers)

    def _stage(self, model: Model, metadata: dict[str, str]) -> StagedTable:
        for step, sql in model.steps.items():
            self._tables.define(("star", step), sql)
        path = model.contract.path
        self._tables.frame(model.sql).write.parquet(self._files.staging(path))
        return self._lake.stage(
            path,
            read_parts(self._files.parts(path)),
            schema=None,
            metadata=metadata,
            sorted_by=model.contract.sorted_by,
        )

    def _verify(self, model: Model, staged: StagedTable) -> None:
        """The parts are audited and the file is published: see that none was left out of it."""
        name = model.contract.name
        _, ((rows,),) = self._tables.fetch(f"select count(*) from {name.replace('/', '.')}")
        if rows != staged.rows:
            raise LakeError(f"{name}: Spark made {rows} rows, and {staged.rows} were staged.")

    def _add_published(self, model: Model, *, is_judged: bool) -> Iterator[Finding]:
        path = model.contract.path
        try:
            footer = self._lake.footer(path)
        except (NotPublished, Unreadable) as error:
            if is_judged:
                yield not_there(model.contract, str(error))
        else:
            self._tables.add(path, self._files.published(path))
            self._footers[model.contract.table] = footer

    def _add_raw(self, table: str) -> Footer:
        self._tables.add(("raw", table), self._files.published(("raw", table)))
        return self._lake.footer(("raw", table))
