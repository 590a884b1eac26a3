"""The engine alone: what the refresh does to rows and files, without Dagster and without checks.

The source still counts its rows, and what can't be held exactly is still refused: that is part of
reading it.
"""

import logging

from starschema_assets.lake.lake import Lake, Lease, StagedTable
from starschema_assets.lake.open import open_lake
from starschema_assets.lake.provenance import written_by
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import Settings
from starschema_assets.source.source import Source
from starschema_assets.star.duckdb_engine import DuckDBEngine
from starschema_assets.star.models import MODELS
from starschema_assets.star.transformation import Transformation

RUN = "benchmark"


def main() -> None:
    """Extract, transform and publish once."""
    settings = Settings()
    lake = open_lake(settings)
    with lake.lock(RUN, logging.getLogger(RUN)) as lease:
        _publish(lake, lease, _extract(lake, Source(settings)))
        _publish(
            lake,
            lease,
            Transformation(DuckDBEngine(lake, settings), lake, settings, MODELS).stage(MODELS, RUN),
        )


def _extract(lake: Lake, source: Source) -> list[StagedTable]:
    declared = source.declared(contract.table for contract in CONTRACTS)
    with source.snapshot() as snapshot:
        return [
            lake.stage(
                contract.path,
                snapshot.read(declared[contract.table]),
                schema=None,
                metadata=written_by(RUN),
            )
            for contract in CONTRACTS
        ]


def _publish(lake: Lake, lease: Lease, staged: list[StagedTable]) -> None:
    for table in staged:
        lake.upload(table)
    for table in staged:
        lake.publish(table, lease)


if __name__ == "__main__":
    main()
