"""Rebuild the histories and the star from raw tables, as if each day had been refreshed.

`python -m starschema_assets.rebuild` uses the raw tables of all snapshots that the lake keeps, and
`python -m starschema_assets.rebuild exports` those in `exports/<YYYY-MM-DD>/<table>.parquet`. Of
each day, it uses the last snapshot with all tables that the histories need. The published raw
tables are those of the last day. DuckDB rebuilds on this machine, whatever STARSCHEMA_ENGINE is.
"""

import argparse
from pathlib import Path

from dagster import AssetKey, DagsterInstance

from starschema_assets import command
from starschema_assets.orchestration.reports import THE_LAKE
from starschema_assets.run import QUIET, execute, refresh
from starschema_assets.star.models import MODELS


def main() -> None:
    """Run the star's step of the refresh on the instance that the UI shows."""
    parser = argparse.ArgumentParser(
        prog="python -m starschema_assets.rebuild",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="folder with dated files; default: the lake's versions"
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="CHECK",
        help="a check that may fail, e.g. star/<history>:nothing_lost to lose published versions. "
        "Dagster records it with the run",
    )
    given = parser.parse_args()
    source = str(given.folder.absolute()) if given.folder else THE_LAKE
    config = {"accept": given.accept, "rebuild_histories": source}
    with DagsterInstance.get() as instance:
        execute(
            instance,
            refresh,
            QUIET | {"ops": {"star_tables": {"config": config}}},
            [AssetKey(model.contract.path) for model in MODELS],
        )
    print("The star is published with the rebuilt histories.")


if __name__ == "__main__":
    command.run(main)
