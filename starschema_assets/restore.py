"""Restore the previous version of a table, or undo the last run that wrote a stage.

`python -m starschema_assets.restore star/sales` restores that table. A history, or a table that was
built from one, can only be restored together with the others.
`python -m starschema_assets.restore`, with `star` (the default) or `raw`, finds the run that wrote
the newest table of the stage, and restores the previous version of each table that it wrote.
"""

import argparse
import logging
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from dagster import AssetKey, AssetMaterialization, DagsterInstance, MetadataValue

from starschema_assets import command
from starschema_assets.lake.errors import LakeError, NoEarlierVersion, NotPublished
from starschema_assets.lake.lake import Lake, Table, Version, name_of, open_lake
from starschema_assets.settings import Settings


@dataclass(frozen=True)
class Restored:
    """A table that was restored, with the version that it replaced."""

    table: Table
    uri: str
    version: Version
    instead_of: Version | None
    """None if the table had been deleted by `make forget`."""


def current_version(lake: Lake, table: Table) -> Version:
    """Return the published version. Raises NotPublished."""
    current = next((version for version in lake.versions(table) if version.is_current), None)
    if current is None:
        raise NotPublished(
            f"{name_of(table)} is not in {lake.uri(table)}: there is nothing to undo."
        )
    return current


def restore(lake: Lake, target: str, log: logging.Logger) -> Iterator[Restored]:
    """Restore one table (`star/sales`), or the tables that a stage's (`star`) last run wrote.

    All versions are looked up before the first one is restored. A table without an earlier version
    isn't changed. Raises NotPublished, NoEarlierVersion if no table has one, and LakeError for a
    single history or a table that was built from one. The lake is locked.
    """
    table = tuple(target.strip("/").split("/"))
    newest = next(iter(lake.versions(table)), None) if len(table) > 1 else None
    if newest and not newest.is_current:  # deleted by `make forget`
        yield Restored(table, lake.restore(table, newest).uri, newest, None)
        return
    chosen = [(table, current_version(lake, table))] if len(table) > 1 else _last_run(lake, target)
    if len(table) > 1 and {"digest", "histories"} & {*lake.footer(table).metadata}:
        raise LakeError(
            f"{name_of(table)} can only be restored together with the histories, because tables "
            f"refer to their versions: restore TABLE={table[0]}"
        )
    found: list[tuple[Table, Version, Version]] = []
    for each, (table, current) in enumerate(chosen, start=1):
        try:
            found.append((table, current, lake.previous(table)))
        except NoEarlierVersion as error:
            if each == len(chosen) and not found:
                raise
            log.warning("Not restored: %s", error)
    for table, current, earlier in found:
        yield Restored(table, lake.restore(table, earlier).uri, earlier, current)


def main() -> None:
    """Restore the target of the command line, print the tables, and record them in Dagster."""
    parser = argparse.ArgumentParser(prog="python -m starschema_assets.restore")
    parser.add_argument(
        "target",
        nargs="?",
        default="star",
        help="a table, e.g. star/sales, or a stage: star (the default) or raw",
    )
    target = parser.parse_args().target
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    log = logging.getLogger(__name__)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs Dagster's storage set-up
    # The instance is opened first: a restore that can't be recorded must not happen.
    with DagsterInstance.get() as instance, closing(open_lake(Settings())) as lake:
        holder = f"restore of {target} (process {os.getpid()})"
        with lake.lock(holder, log):
            days = set()
            for restored in restore(lake, target, log):
                _report(instance, restored)
                days.add(lake.footer(restored.table).metadata.get("day", ""))
    if of_histories := sorted(days - {""}):
        print(
            f"The histories are now those of {' and '.join(of_histories)}. The next refresh dates "
            "all later changes with its own day. `make history` rebuilds the days that were "
            "undone, if the lake keeps their raw tables."
        )


def _last_run(lake: Lake, stage: str) -> list[tuple[Table, Version]]:
    """Return the tables of the run that wrote the stage's newest table, last written first.

    In this order the fact is restored before the dimensions, so that none of its keys is missing.
    """
    current = [(table, current_version(lake, table)) for table in lake.tables(stage)]
    if not current:
        raise NotPublished(
            f"No table is published under {stage!r}: give raw, star or a table such as star/sales, "
            "and check STARSCHEMA_LAKE_URI."
        )
    current.sort(key=lambda each: each[1].written_at, reverse=True)
    _, newest = current[0]
    return [(table, version) for table, version in current if version.run_id == newest.run_id]


def _report(instance: DagsterInstance, restored: Restored) -> None:
    earlier, undone = restored.version, restored.instead_of
    instead = ". The table had been deleted."
    withdrawn = {}
    if undone:
        at = f"{undone.written_at:%Y-%m-%d %H:%M:%S} UTC"
        instead = f". It replaces the version of run {undone.run_id} of {at}."
        withdrawn = {
            "undone_run_id": undone.run_id,
            "undone_written_at": undone.written_at.isoformat(),
        }
    text = (
        f"{name_of(restored.table)}: restored the version of run {earlier.run_id} of "
        f"{earlier.written_at:%Y-%m-%d %H:%M:%S} UTC{instead}"
    )
    instance.report_runless_asset_event(
        AssetMaterialization(
            AssetKey(restored.table),
            description=text,
            metadata={
                "restored_run_id": earlier.run_id,
                "restored_written_at": earlier.written_at.isoformat(),
                "dagster/size_bytes": earlier.bytes,
                "dagster/uri": MetadataValue.path(restored.uri),
                **withdrawn,
            },
        )
    )
    print(text)


if __name__ == "__main__":
    command.run(main)
