"""A refresh with Spark, as Dagster shows it."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckEvaluation, AssetMaterialization, ExecuteInProcessResult

from starschema_assets.lake.lake import open_lake
from starschema_assets_tests.conftest import Sales
from starschema_assets_tests.pipeline import STAR, Pipeline

ORPHAN = """
    update orders set customerNumber = 999999, comments = 'ask for Ana Silva'
    where orderNumber = (select min(orderNumber) from sample.orders)
"""
CHECKS = ("star/fact_orders:not_null", "star/fact_orders:customerNumber_in_dim_customers")


@pytest.fixture
def on_spark(refreshed: Pipeline) -> Pipeline:
    """A pipeline that was refreshed with DuckDB and uses Spark from now on."""
    return Pipeline(refreshed.settings.model_copy(update={"engine": "spark"}), refreshed.instance)


def shown(run: ExecuteInProcessResult) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Return a run's metadata and check results, without values that differ in each run."""
    for event in run.all_events:
        found = event.event_specific_data
        if isinstance(found, AssetCheckEvaluation):
            title = f"{found.asset_key.to_user_string()}:{found.check_name}"
            yield title, found.description, {**found.metadata, "passed": found.passed}
    for event in run.get_asset_materialization_events():
        made = event.materialization
        assert isinstance(made, AssetMaterialization)
        metadata = {k: v for k, v in made.metadata.items() if k != "dagster/size_bytes"}
        yield made.asset_key.to_user_string(), made.description, metadata


def test_a_refresh_shows_what_one_with_duckdb_shows(
    refreshed: Pipeline, on_spark: Pipeline
) -> None:
    before = refreshed.refresh(*STAR)
    run = on_spark.refresh(*STAR)
    assert run.success
    assert list(shown(run)) == list(shown(before))
    assert on_spark.materialized(run) == ["/".join(table) for table in STAR]
    footer = on_spark.lake.footer(("star", "fact_orders"))
    assert footer.metadata["run_id"] == run.run_id


def test_a_failed_check_leaves_the_same_bytes_and_can_be_accepted(
    on_spark: Pipeline, sales: Sales
) -> None:
    sales.sql(ORPHAN)
    run = on_spark.refused()
    assert on_spark.failures(run) == dict.fromkeys(CHECKS, True)
    for title in CHECKS:
        assert f"{title}: offending rows: 11" in on_spark.reason(run)
        example = on_spark.examples(title)[0]
        assert (example["customerNumber"], example["comments"]) == (999999, "***")
    run = on_spark.refresh(*STAR, accept=CHECKS)
    assert run.success
    assert on_spark.failures(run) == dict.fromkeys(CHECKS, False)
    assert (on_spark.check(CHECKS[0]).description or "").startswith("Accepted for this run.")
    assert on_spark.rows("select count(*) from star.fact_orders where locationKey is null") == [
        (11,)
    ]


def test_what_is_published_is_audited_without_a_refresh(on_spark: Pipeline) -> None:
    on_spark.lake.fetch(("star", "dim_dates")).unlink()
    assert on_spark.crawl().success
    before = on_spark.published()
    run = on_spark.audit()
    assert on_spark.failures(run) == {
        "star/dim_dates:types": True,
        "star/fact_orders:orderDate_in_dim_dates": True,
        "star/fact_orders:requiredDate_in_dim_dates": True,
        "star/fact_orders:shippedDate_in_dim_dates": True,
    }
    assert on_spark.materialized(run) == []
    assert on_spark.published() == before


def test_an_error_of_the_job_is_the_error_of_the_run(on_spark: Pipeline) -> None:
    assert on_spark.crawl().success
    on_spark.settings = on_spark.settings.model_copy(update={"lock_wait": 0})
    with open_lake(on_spark.settings).lock("run abc", logging.getLogger()):
        runs = on_spark.refused(*STAR), on_spark.audit()  # an audit also needs the lock
    for run in runs:
        reason = on_spark.reason(run)
        assert reason.startswith("LakeBusy: ")
        assert "is still held after 0 s by run abc" in reason


def test_a_cancelled_run_ends_the_job_and_frees_the_lake(
    refreshed: Pipeline, tmp_path: Path
) -> None:
    before = star_files(refreshed)
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    environment = os.environ | {
        "DAGSTER_HOME": str(home),
        "STARSCHEMA_ENGINE": "spark",
        "STARSCHEMA_LAKE_URI": refreshed.settings.lake_uri,
        "STARSCHEMA_SCRATCH": str(scratch),
        "STARSCHEMA_SOURCE_URL": refreshed.settings.source_url.get_secret_value(),
    }
    run = subprocess.Popen([sys.executable, "-m", "starschema_assets.run"], env=environment)
    while not list(scratch.glob("*/star/*")):  # Spark is writing
        assert run.poll() is None
        time.sleep(0.1)
    assert jobs(scratch)
    run.send_signal(signal.SIGINT)
    assert run.wait() != 0
    assert jobs(scratch) == []
    assert star_files(refreshed) == before
    assert refreshed.refresh(*STAR).success


def star_files(pipeline: Pipeline) -> dict[str, bytes]:
    """Return the published files of the star."""
    files = pipeline.published()
    return {name: content for name, content in files.items() if name.startswith("star/")}


def jobs(scratch: Path) -> list[str]:
    """Return the processes of a job with this scratch folder, including Java."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_text()
            is_job = "star/job.py" in command or "SparkSubmit" in command
            if is_job and str(scratch) in (process / "environ").read_text():
                found.append(process.name)
    return found
