"""The IO manager: every asset's table goes to the lake, and comes from it, through here."""

from __future__ import annotations  # pandas is imported for type checkers only

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dagster import (
    InputContext,
    IOManager,
    MetadataValue,
    Output,
    OutputContext,
)

from starschema_assets import engine
from starschema_assets.contract import Contract
from starschema_assets.lake.errors import ColumnRefused, LakeError
from starschema_assets.lake.lake import Lake, Lease, StagedTable
from starschema_assets.lake.paths import Table, name_of
from starschema_assets.lake.provenance import written_by
from starschema_assets.orchestration.presentation import file_metadata, shown
from starschema_assets.processes import verify_not_ended
from starschema_assets.quality.description import Description, describe
from starschema_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 100_000

TableData: TypeAlias = "pa.RecordBatchReader | pa.Table | duckdb.DuckDBPyRelation | pd.DataFrame"


@dataclass(frozen=True)
class Audited:
    """A table that was staged, audited and uploaded: all that is left is to publish it."""

    staged: StagedTable
    lease: Lease


@dataclass(frozen=True)
class Elsewhere:
    """A table that another process has published: all that is left is to tell of it."""

    description: Description
    uri: str


def publish(lake: Lake, lease: Lease, staged: Sequence[StagedTable]) -> Iterator[Output[Audited]]:
    """Give audited tables to the IO manager, one after the other, once all are uploaded."""
    for table in staged:
        lake.upload(table)
    for table in staged:
        yield Output(Audited(table, lease), output_name=table.table[-1])


class LakeIOManager(IOManager):
    """Publishes what assets return, and hands it to others as the type they are annotated with.

    An asset may return a DuckDB relation, an Arrow reader or table, or a pandas DataFrame. A reader
    gets a DuckDB relation, unless its input is annotated with another of these types.
    """

    def __init__(self, lake: Lake, settings: Settings, contracts: Iterable[Contract]) -> None:
        self.lake = lake
        self.settings = settings
        self.contracts: dict[Table, Contract] = {c.path: c for c in contracts}

    def handle_output(self, context: OutputContext, obj: Audited | Elsewhere | TableData) -> None:
        """Publish a table: one that was audited as it is, any other through the same steps."""
        if isinstance(obj, Elsewhere):
            self._tell(context, obj.description, obj.uri)
            return
        if isinstance(obj, Audited):
            self._publish(context, obj)
            return
        table = tuple(context.asset_key.path)
        reader = _reader(table, obj)
        with self.lake.lock(f"run {context.run_id}", context.log) as lease:
            staged = self.lake.stage(
                table,
                reader,
                schema=None,
                metadata=written_by(context.run_id),
            )
            self.lake.upload(staged)
            self._publish(context, Audited(staged, lease))

    def load_input(self, context: InputContext) -> TableData:
        """Hand out the published version of a table."""
        path = str(self.lake.fetch(tuple(context.asset_key.path)))
        wanted = context.dagster_type.typing_type
        # Whoever asks for a DataFrame has imported pandas; others needn't wait for it.
        if (pandas := sys.modules.get("pandas")) and wanted is pandas.DataFrame:
            # Arrow's types keep a DECIMAL exact, which pandas' own would turn into a float.
            frame: pd.DataFrame = pq.read_table(path).to_pandas(types_mapper=pandas.ArrowDtype)
            return frame
        if wanted is pa.Table:
            return pq.read_table(path)
        relation = engine.connect(self.settings).read_parquet(path)
        return relation.to_arrow_reader() if wanted is pa.RecordBatchReader else relation

    def _publish(self, context: OutputContext, audited: Audited) -> None:
        description = describe(audited.staged, self.contracts.get(audited.staged.table))
        verify_not_ended(context.step_context.instance, context.run_id)
        published = self.lake.publish(audited.staged, audited.lease)
        self._tell(context, description, published.uri)

    def _tell(self, context: OutputContext, description: Description, uri: str) -> None:
        contract = self.contracts.get(tuple(context.asset_key.path))
        metadata: dict[str, Any] = {
            "dagster/row_count": description.rows,
            "dagster/size_bytes": description.bytes,
            "dagster/uri": MetadataValue.path(uri),
            **file_metadata(contract, description.types),
        }
        if description.snapshots:
            metadata["snapshot"] = ", ".join(description.snapshots)
        if description.sample:
            metadata["sample"] = shown(description.sample)
        context.add_output_metadata(metadata)


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
        f"{name_of(table)}: the asset returned {type(data).__name__}; it may return a DuckDB "
        "relation, an Arrow reader or table, or a pandas DataFrame"
    )
