"""Take tables out of lake and catalog; `make restore` still finds their versions.

`python -m starschema_assets.forget star/sales` takes that table, `star` or `raw` all of a stage,
and `unnamed` all that no contract names. Without `--yes` it only says what would go.
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
    """The contracts of all stages, by the path of their table."""
    return {c.path: c for c in (*CONTRACTS, *(model.contract for model in MODELS))}


def found(lake: Lake, target: str) -> list[tuple[Table, Version]]:
    """The published tables that a target means, the last written first.

    So a table goes before those that it refers to. Raises NotPublished for a table or a stage that
    isn't there.
    """
    if target == UNNAMED:
        tables = [t for stage in STAGES for t in lake.tables(stage) if t not in named()]
    elif "/" in target:
        tables = [tuple(target.strip("/").split("/"))]
    elif not (tables := lake.tables(target)):
        raise NotPublished(
            f"No table of {target!r} is published: name a stage, a table as stage/table, or "
            f"`{UNNAMED}`, or look whether STARSCHEMA_LAKE_URI names the lake that you mean."
        )
    versions = [(table, current_version(lake, table)) for table in tables]
    return sorted(versions, key=lambda each: each[1].written_at, reverse=True)


def forget(lake: Lake, catalog: Catalog, table: Table) -> None:
    """Take a table out of the lake, and one of the star out of the catalog. The lake is locked."""
    lake.forget(table)
    if table[0] == "star":
        catalog.forget(table[-1])


def main() -> None:
    """Say what would go; with `--yes` take it out, and record it in Dagster."""
    parser = argparse.ArgumentParser(
        prog="python -m starschema_assets.forget",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", help=f"a table, e.g. star/sales; star or raw; or {UNNAMED}")
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument(
        "--history",
        action="store_true",
        help="histories, too: the source can't give them again, only `make restore` can, for as "
        "long as versions are kept",
    )
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    log = logging.getLogger(__name__)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of Dagster's own storage
    settings = Settings()
    # Asked for first: what can't be put on record isn't done.
    with (
        DagsterInstance.get() as instance,
        closing(open_lake(settings)) as lake,
        lake.lock(f"forget of {options.target} (process {os.getpid()})", log),
    ):
        tables = found(lake, options.target)
        for table, version in tables:
            print(_told(lake, table, version))
        histories = [name_of(table) for table, _ in tables if _is_history(lake, table)]
        if not tables:
            print("A contract names every table that is published.")
        elif not options.yes:
            words = '"--yes --history"' if histories else "--yes"
            print(f"Nothing was taken out. To do it, add ARGS={words}.")
        elif histories and not options.history:
            raise StarschemaError(
                f"{', '.join(histories)}: the source can't give a history again. Nothing was "
                'taken out; with ARGS="--yes --history" histories go, too'
            )
        else:
            catalog = open_catalog(settings)
            for table, version in tables:
                forget(lake, catalog, table)
                _record(instance, table, version)
            print("Taken out. `make restore TABLE=stage/table` puts one back.")


def _told(lake: Lake, table: Table, version: Version) -> str:
    published = {t for stage in STAGES for t in lake.tables(stage)}
    users = _users(table, [contract for path, contract in named().items() if path in published])
    return (
        f"{name_of(table)}: {version.bytes:,} bytes, written by run {version.run_id} at "
        f"{version.written_at:%Y-%m-%d %H:%M:%S} UTC"
        + (f"; referred to by {', '.join(users)}" if users else "")
        + ("; the next refresh makes it again" if table in named() else "")
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
        f"{name_of(table)}: taken out of lake and catalog; it was what run {version.run_id} wrote "
        f"at {version.written_at:%Y-%m-%d %H:%M:%S} UTC."
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
