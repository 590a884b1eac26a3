"""Make the histories again, and the star with them, as refreshes on each day would have made it.

`python -m starschema_assets.rebuild` takes the raw tables of each snapshot that the lake keeps, and
`python -m starschema_assets.rebuild exports` those in `exports/<YYYY-MM-DD>/<table>.parquet`: of
each day the last snapshot of which all tables are there that the histories need. The raw tables
that are published are those of the last day. DuckDB does it on this machine, also where
STARSCHEMA_ENGINE names another engine.
"""

import argparse
from pathlib import Path

from dagster import AssetKey, DagsterInstance

from starschema_assets import command
from starschema_assets.orchestration.reports import THE_LAKE
from starschema_assets.run import QUIET, execute, refresh
from starschema_assets.star.models import MODELS


def main() -> None:
    """Run the part of the refresh that makes the star, on the instance that the UI shows."""
    parser = argparse.ArgumentParser(
        prog="python -m starschema_assets.rebuild",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="dated files; default: what the lake keeps"
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="CHECK",
        help="a check that may fail, e.g. star/<history>:nothing_lost to lose published versions; "
        "it stays on record with the run",
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
