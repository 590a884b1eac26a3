"""The engine alone: a refresh without Dagster and without checks.

The source still counts its rows, and values that can't be stored exactly are still rejected,
because that is part of reading.
"""

import logging

from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import Lake, StagedTable, open_lake
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import Settings
from starschema_assets.source.source import Source
from starschema_assets.star.models import MODELS
from starschema_assets.star.transformation import Transformation

RUN = "benchmark"


def main() -> None:
    """Extract, transform and publish once."""
    settings = Settings()
    lake = open_lake(settings)
    with lake.lock(RUN, logging.getLogger(RUN)):
        _publish(lake, _extract(lake, Source(settings)))
        _publish(
            lake,
            Transformation(DuckDBEngine(lake.fetch, settings), lake, settings, MODELS).stage(
                MODELS, RUN
            ),
        )


def _extract(lake: Lake, source: Source) -> list[StagedTable]:
    declared = source.declared(contract.table for contract in CONTRACTS)
    with source.snapshot() as snapshot:
        return [
            lake.stage(
                contract.path,
                snapshot.read(declared[contract.table]),
                RUN,
                metadata={"snapshot": snapshot.id},
            )
            for contract in CONTRACTS
        ]


def _publish(lake: Lake, staged: list[StagedTable]) -> None:
    for table in staged:
        lake.upload(table)
    for table in staged:
        lake.publish(table)


if __name__ == "__main__":
    main()
