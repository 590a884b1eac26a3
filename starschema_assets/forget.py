"""Delete tables from lake and catalog. `make restore` can restore them from their versions.

`python -m starschema_assets.forget star/sales` deletes that table, `star` or `raw` all tables of a
stage, and `unnamed` all tables without a contract. Without `--yes` it only lists the tables.
"""

import argparse
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import closing

from dagster import AssetKey, AssetObservation, DagsterInstance

from starschema_assets import command
from starschema_assets.catalog.catalog import Catalog, open_catalog
from starschema_assets.contract import Contract
from starschema_assets.errors import StarschemaError
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, Table, Version, name_of, open_lake
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.restore import current_version
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS

UNNAMED = "unnamed"
STAGES = ("raw", "star")


def named() -> Mapping[Table, Contract]:
    """Return the contracts of all stages by table path."""
    return {c.path: c for c in (*CONTRACTS, *(model.contract for model in MODELS))}


def found(lake: Lake, target: str) -> list[tuple[Table, Version]]:
    """Return the published tables that match a target, the last written first.

    In this order a table is deleted before the tables that it refers to. Raises NotPublished.
    """
    if target == UNNAMED:
        tables = [t for stage in STAGES for t in lake.tables(stage) if t not in named()]
    elif "/" in target:
        tables = [tuple(target.strip("/").split("/"))]
    elif not (tables := lake.tables(target)):
        raise NotPublished(
            f"No table is published under {target!r}: give raw, star, a table such as star/sales, "
            f"or `{UNNAMED}`, and check STARSCHEMA_LAKE_URI."
        )
    versions = [(table, current_version(lake, table)) for table in tables]
    return sorted(versions, key=lambda each: each[1].written_at, reverse=True)


def forget(lake: Lake, catalog: Catalog, table: Table) -> None:
    """Delete a table from the lake, and a star table also from the catalog. Needs the lock."""
    lake.forget(table)
    if table[0] == "star":
        catalog.forget(table[-1])


def main() -> None:
    """List the tables; with `--yes` delete them and record this in Dagster."""
    parser = argparse.ArgumentParser(
        prog="python -m starschema_assets.forget",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", help=f"a table, e.g. star/sales; star or raw; or {UNNAMED}")
    parser.add_argument("--yes", action="store_true", help="delete the tables")
    parser.add_argument(
        "--history",
        action="store_true",
        help="also delete histories: only `make restore` can bring them back, as long as versions "
        "are kept",
    )
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    log = logging.getLogger(__name__)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs Dagster's storage set-up
    settings = Settings()
    # The instance is opened first: a deletion that can't be recorded must not happen.
    with (
        DagsterInstance.get() as instance,
        closing(open_lake(settings)) as lake,
        lake.lock(f"forget of {options.target} (process {os.getpid()})", log),
    ):
        tables = found(lake, options.target)
        for table, version in tables:
            print(_described(lake, table, version))
        histories = [name_of(table) for table, _ in tables if _is_history(lake, table)]
        if not tables:
            print("Every published table has a contract.")
        elif not options.yes:
            words = '"--yes --history"' if histories else "--yes"
            print(f"Nothing was deleted. To delete, add ARGS={words}.")
        elif histories and not options.history:
            raise StarschemaError(
                f"{', '.join(histories)}: histories can't be read from the source again, so "
                'nothing was deleted. To delete them as well, add ARGS="--yes --history"'
            )
        else:
            catalog = open_catalog(settings)
            for table, version in tables:
                forget(lake, catalog, table)
                _record(instance, table, version)
            print("Deleted. `make restore TABLE=stage/table` restores a table.")


def _described(lake: Lake, table: Table, version: Version) -> str:
    published = {t for stage in STAGES for t in lake.tables(stage)}
    users = _users(table, [contract for path, contract in named().items() if path in published])
    return (
        f"{name_of(table)}: {version.bytes:,} bytes, written by run {version.run_id} at "
        f"{version.written_at:%Y-%m-%d %H:%M:%S} UTC"
        + (f"; referred to by {', '.join(users)}" if users else "")
        + ("; the next refresh creates it again" if table in named() else "")
    )


def _users(table: Table, contracts: Sequence[Contract]) -> list[str]:
    return [
        contract.name
        for contract in contracts
        if any((contract.stage, key.references) == table for key in contract.foreign_keys)
    ]


def _is_history(lake: Lake, table: Table) -> bool:
    try:
        return "digest" in lake.footer(table).metadata
    except Unreadable:
        contract = named().get(table)
        return contract is not None and contract.dimension is not None


def _record(instance: DagsterInstance, table: Table, version: Version) -> None:
    text = (
        f"{name_of(table)} was deleted. Run {version.run_id} had written it at "
        f"{version.written_at:%Y-%m-%d %H:%M:%S} UTC."
    )
    instance.report_runless_asset_event(
        AssetObservation(
            AssetKey(table),
            description=text,
            metadata={
                "forgotten_run_id": version.run_id,
                "forgotten_written_at": version.written_at.isoformat(),
            },
        )
    )


if __name__ == "__main__":
    command.run(main)
