"""The resources of the assets: source, lake, catalog and IO manager, configured by settings.

Each field is the setting of the same name, so that the UI shows the values that a run uses. The
source's URL may contain a password, so the UI shows the name of its variable instead.
"""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dagster import (
    Config,
    ConfigurableIOManagerFactory,
    ConfigurableResource,
    EnvVar,
    InitResourceContext,
    InputContext,
    IOManager,
    OutputContext,
)

from starschema_assets import engine
from starschema_assets.catalog.catalog import Catalog, open_catalog
from starschema_assets.contract import Contract
from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.lake import Lake, StagedTable, Table, name_of, open_lake
from starschema_assets.orchestration.reports import table_metadata
from starschema_assets.processes import verify_not_ended
from starschema_assets.quality.audit import describe
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import Settings
from starschema_assets.source.source import Source
from starschema_assets.star.models import MODELS
from starschema_assets.types import ColumnRefused

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 100_000
SOURCE_URL = "STARSCHEMA_SOURCE_URL"

TableData: TypeAlias = "pa.RecordBatchReader | pa.Table | duckdb.DuckDBPyRelation | pd.DataFrame"


class SourceResource(ConfigurableResource[Source]):
    """The operational database."""

    source_url: str
    source_tls: str
    source_ca: str | None
    source_secret: str | None
    zero_dates: str
    memory_limit: str
    scratch: str

    def create_resource(self, context: InitResourceContext) -> Source:  # noqa: ARG002
        """Open nothing yet."""
        return Source(_settings(self))


class LakeResource(ConfigurableResource[Lake]):
    """The directory or S3 prefix in which the tables are published."""

    lake_uri: str
    lock_wait: int
    keep_versions: int
    scratch: str

    def create_resource(self, context: InitResourceContext) -> Lake:  # noqa: ARG002
        """Open nothing yet."""
        return open_lake(_settings(self))


class CatalogResource(ConfigurableResource[Catalog]):
    """The catalog of the star's tables: Glue's, or the embedded one."""

    lake_uri: str
    scratch: str
    glue_crawler: str | None
    glue_database: str | None
    crawl_timeout: int
    catalog: str

    def create_resource(self, context: InitResourceContext) -> Catalog:  # noqa: ARG002
        """Open nothing yet."""
        return open_catalog(_settings(self))


class LakeIOManagerResource(ConfigurableIOManagerFactory["LakeIOManager"]):
    """Publishes tables that assets return and loads them for other assets: see LakeIOManager."""

    lake_uri: str
    lock_wait: int
    keep_versions: int
    memory_limit: str
    scratch: str

    def create_io_manager(self, context: InitResourceContext) -> "LakeIOManager":  # noqa: ARG002
        """Open nothing yet."""
        settings = _settings(self)
        contracts = [*CONTRACTS, *(model.contract for model in MODELS)]
        return LakeIOManager(open_lake(settings), settings, contracts)


def resources_of(settings: Settings) -> dict[str, Any]:
    """Return the resources by the names that assets use."""
    known = settings.model_dump(mode="json")
    url = settings.source_url.get_secret_value()
    known["source_url"] = next(
        (EnvVar(v) for v in os.environ if v.upper() == SOURCE_URL and os.environ[v] == url), url
    )

    kinds: dict[str, type[Any]] = {
        "source": SourceResource,
        "lake": LakeResource,
        "catalog": CatalogResource,
        "io_manager": LakeIOManagerResource,
    }
    return {
        name: kind(**{field: known[field] for field in kind.model_fields})
        for name, kind in kinds.items()
    }


def _settings(resource: Config) -> Settings:
    """Return the environment's settings, overridden by the resource's fields."""
    return Settings(**{name: getattr(resource, name) for name in type(resource).model_fields})


class LakeIOManager(IOManager):
    """Publishes tables that assets return, and loads them in the type of an input's annotation.

    An asset may return a DuckDB relation, an Arrow reader or table, a pandas DataFrame, or a table
    that it has staged, audited and uploaded itself. An input gets a DuckDB relation, unless it is
    annotated with another of these types.
    """

    def __init__(self, lake: Lake, settings: Settings, contracts: Iterable[Contract]) -> None:
        self.lake = lake
        self.settings = settings
        self.contracts: dict[Table, Contract] = {c.path: c for c in contracts}

    def handle_output(self, context: OutputContext, obj: "StagedTable | TableData") -> None:
        """Publish a table. If it isn't staged yet, stage and upload it first."""
        if isinstance(obj, StagedTable):
            self._publish(context, obj)
            return
        table = tuple(context.asset_key.path)
        reader = _reader(table, obj)
        with self.lake.lock(f"run {context.run_id}", context.log):
            staged = self.lake.stage(table, reader, context.run_id)
            self.lake.upload(staged)
            self._publish(context, staged)

    def load_input(self, context: InputContext) -> TableData:
        """Return the published version of a table."""
        path = str(self.lake.fetch(tuple(context.asset_key.path)))
        wanted = context.dagster_type.typing_type
        # An asset with a DataFrame input has imported pandas. For others, don't import it.
        if (pandas := sys.modules.get("pandas")) and wanted is pandas.DataFrame:
            # With Arrow types, a DECIMAL stays exact; pandas' own types would make it a float.
            frame: pd.DataFrame = pq.read_table(path).to_pandas(types_mapper=pandas.ArrowDtype)
            return frame
        if wanted is pa.Table:
            return pq.read_table(path)
        relation = engine.connect(self.settings).read_parquet(path)
        return relation.to_arrow_reader() if wanted is pa.RecordBatchReader else relation

    def _publish(self, context: OutputContext, staged: StagedTable) -> None:
        contract = self.contracts.get(staged.table)
        description = describe(staged, contract)
        verify_not_ended(context.step_context.instance, context.run_id)
        uri = staged.lake.publish(staged).uri
        context.add_output_metadata(table_metadata(contract, description, uri))


def _reader(table: Table, data: TableData) -> pa.RecordBatchReader:
    if isinstance(data, duckdb.DuckDBPyRelation):
        return data.to_arrow_reader(BATCH_ROWS)
    if (pandas := sys.modules.get("pandas")) and isinstance(data, pandas.DataFrame):
        try:
            data = pa.Table.from_pandas(data, preserve_index=False)
        except pa.ArrowException as error:
            raise ColumnRefused(f"{name_of(table)}: {'; '.join(error.args)}") from error
    if isinstance(data, pa.Table):
        return data.to_reader()
    if isinstance(data, pa.RecordBatchReader):
        return data
    raise LakeError(
        f"{name_of(table)}: the asset returned {type(data).__name__}; it must return a DuckDB "
        "relation, an Arrow reader or table, or a pandas DataFrame"
    )
