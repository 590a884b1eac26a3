"""Put back the previous version of a table, or undo the last run that wrote a stage.

`python -m starschema_assets.restore star/sales` puts that table back, unless it is a history or was
made with one: those go back together.
`python -m starschema_assets.restore`, or with `star` or `raw`, finds the run that wrote the
newest table of the star, or of raw, and puts back each table that it wrote; what other runs wrote
stays.
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
    """What was put back in whose place."""

    table: Table
    uri: str
    version: Version
    instead_of: Version | None
    """None if the table had been taken out."""


def current_version(lake: Lake, table: Table) -> Version:
    """The version that is published. Raises NotPublished."""
    current = next((version for version in lake.versions(table) if version.is_current), None)
    if current is None:
        raise NotPublished(
            f"{name_of(table)} is not in {lake.uri(table)}: there is nothing to undo."
        )
    return current


def restore(lake: Lake, target: str, log: logging.Logger) -> Iterator[Restored]:
    """Put back one table (`star/sales`), or those that a stage's (`star`) last run wrote.

    The versions are all found before the first one is put back; a table that the run wrote for
    the first time stays. Raises NotPublished, NoEarlierVersion if there is nothing to put back, and
    LakeError for a history alone, or a table made with one. The lake is locked.
    """
    table = tuple(target.strip("/").split("/"))
    newest = next(iter(lake.versions(table)), None) if len(table) > 1 else None
    if newest and not newest.is_current:  # `make forget` took it out
        yield Restored(table, lake.restore(table, newest).uri, newest, None)
        return
    chosen = [(table, current_version(lake, table))] if len(table) > 1 else _last_run(lake, target)
    if len(table) > 1 and {"digest", "histories"} & {*lake.footer(table).metadata}:
        raise LakeError(
            f"{name_of(table)} and the histories go back together, since tables name their "
            f"versions: restore TABLE={table[0]}"
        )
    found: list[tuple[Table, Version, Version]] = []
    for each, (table, current) in enumerate(chosen, start=1):
        try:
            found.append((table, current, lake.previous(table)))
        except NoEarlierVersion as error:
            if each == len(chosen) and not found:
                raise
            log.warning("Left as it is: %s", error)
    for table, current, earlier in found:
        yield Restored(table, lake.restore(table, earlier).uri, earlier, current)


def main() -> None:
    """Restore what the command line names, say so, and record it in Dagster."""
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
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of Dagster's own storage
    # Asked for first: what can't be put on record isn't done.
    with DagsterInstance.get() as instance, closing(open_lake(Settings())) as lake:
        holder = f"restore of {target} (process {os.getpid()})"
        with lake.lock(holder, log):
            days = set()
            for restored in restore(lake, target, log):
                _report(instance, restored)
                days.add(lake.footer(restored.table).metadata.get("day", ""))
    if of_histories := sorted(days - {""}):
        print(
            f"The histories are those of {' and '.join(of_histories)}. The next refresh dates with "
            "its own day whatever changed since then; `make history` rebuilds the days that were "
            "withdrawn, as far as the lake keeps their raw tables."
        )


def _last_run(lake: Lake, stage: str) -> list[tuple[Table, Version]]:
    """The tables that the run wrote which wrote the newest one, the last written first.

    So the fact goes back before the dimensions, where the newer fact would not find all its keys.
    """
    current = [(table, current_version(lake, table)) for table in lake.tables(stage)]
    if not current:
        raise NotPublished(
            f"No table of {stage!r} is published: name a stage, or a table as stage/table, "
            "or look whether STARSCHEMA_LAKE_URI names the lake that you mean."
        )
    current.sort(key=lambda each: each[1].written_at, reverse=True)
    _, newest = current[0]
    return [(table, version) for table, version in current if version.run_id == newest.run_id]


def _report(instance: DagsterInstance, restored: Restored) -> None:
    earlier, undone = restored.version, restored.instead_of
    instead = ", as it had been taken out."
    withdrawn = {}
    if undone:
        at = f"{undone.written_at:%Y-%m-%d %H:%M:%S} UTC"
        instead = f", instead of what run {undone.run_id} wrote at {at}."
        withdrawn = {
            "undone_run_id": undone.run_id,
            "undone_written_at": undone.written_at.isoformat(),
        }
    text = (
        f"{name_of(restored.table)}: put back what run {earlier.run_id} wrote at "
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
