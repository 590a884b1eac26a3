"""What is told of a version of a table that was written, in values that JSON can hold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from starschema_assets.contract import Contract
from starschema_assets.lake.lake import StagedTable
from starschema_assets.lake.provenance import snapshots_of
from starschema_assets.quality.files import types_of
from starschema_assets.quality.finding import mask

SAMPLE_ROWS = 5


@dataclass(frozen=True)
class Description:
    """A version of a table."""

    rows: int
    bytes: int
    types: Mapping[str, str]
    """Athena's type of each column."""
    snapshots: Sequence[str]
    """Those of the source that its rows come from, the oldest first."""
    sample: Sequence[Mapping[str, Any]]
    """The first rows, personal columns masked; none without a contract that tells them apart."""


def describe(staged: StagedTable, contract: Contract | None) -> Description:
    """Read the description off the staged file."""
    file = pq.ParquetFile(staged.path)
    rows = []
    if contract and staged.rows:
        rows = next(file.iter_batches(batch_size=SAMPLE_ROWS)).to_pylist()
    return Description(
        staged.rows,
        staged.bytes,
        types_of(file.schema_arrow),
        snapshots_of(staged.metadata),
        [as_json(mask(contract, row)) for row in rows if contract],
    )


def as_json(value: Any) -> Any:
    """The value as JSON gives it back: what JSON has no type for becomes text."""
    return json.loads(json.dumps(value, default=str))
