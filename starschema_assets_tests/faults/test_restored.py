"""One command undoes a bad refresh, and the next refresh continues from there."""

import os
import subprocess
import sys

from dagster import AssetKey

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.faults.deployment import FILES, Deployment
from starschema_assets_tests.pipeline import RAW, STAR


def restore(deployment: Deployment, target: str) -> str:
    """Run the command, which must succeed, and return its output."""
    command = subprocess.run(
        [sys.executable, "-m", "starschema_assets.restore", target],
        env=os.environ
        | {
            "STARSCHEMA_LAKE_URI": deployment.settings.lake_uri,
            "STARSCHEMA_SCRATCH": str(deployment.settings.scratch),
            "DAGSTER_HOME": deployment.instance.root_directory,
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.returncode == 0, command.stderr
    return command.stdout


def test_the_star_is_put_back_on_record_and_the_next_refresh_works(deployment: Deployment) -> None:
    first = deployment.run_of(STAR[-1])
    before = deployment.published()
    second = deployment.refresh().run_id
    refreshed = deployment.published()
    assert deployment.replaced_since(before) == FILES
    said = restore(deployment, "star")
    after = deployment.published()
    assert after.keys() == before.keys()
    for name in FILES:
        assert after[name] == (before if name.startswith("star/") else refreshed)[name]
    for table in STAR:
        assert f"{'/'.join(table)}: restored the version of run {first} of" in said
        event = deployment.instance.get_latest_materialization_event(AssetKey(table))
        assert event
        assert event.asset_materialization
        metadata = event.asset_materialization.metadata
        assert metadata["restored_run_id"].value == first
        assert metadata["undone_run_id"].value == second
    assert {deployment.run_of(table) for table in RAW} == {second}
    deployment.assert_refreshes_as_if_nothing_had_happened()
