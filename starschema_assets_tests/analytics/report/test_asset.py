"""Tests for the asset analytics/sales_report, created by Dagster and by a daemon after a crawl."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetRecordsFilter, DagsterInstance, DagsterRunStatus, RunsFilter

from starschema_assets.analytics.report.asset import DOCUMENT, KEY
from starschema_assets.settings import Settings
from starschema_assets_tests.daemon import Deployment, deployed, eventually
from starschema_assets_tests.pipeline import Pipeline

JOB = "__ASSET_JOB"
"""Tag of a run that an automation condition requests."""
SENSOR = "report_after_crawl"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


def await_report(deployment: Deployment, number: int) -> None:
    """Wait until the daemon has created the report; a busy machine may be slow."""
    instance = deployment.pipeline.instance
    eventually(lambda: len(instance.get_runs(RunsFilter(job_name=JOB))) == number)
    ended = RunsFilter(job_name=JOB, statuses=[DagsterRunStatus.SUCCESS])
    eventually(lambda: len(instance.get_runs(ended)) == number)
    assert reports(instance) == number


def reports(instance: DagsterInstance) -> int:
    return len(instance.fetch_materializations(AssetRecordsFilter(KEY), limit=9).records)


def test_it_is_made_once_after_each_crawl_and_not_after_a_failed_check(
    deployment: Deployment,
) -> None:
    pipeline = deployment.pipeline
    assert pipeline.refresh().success  # while the daemon is stopped
    assert pipeline.crawl().success
    with deployment.daemon():
        await_report(deployment, 1)
        deployment.await_evaluations(SENSOR)
        assert reports(pipeline.instance) == 1
        page = Path(pipeline.lake.document_uri(DOCUMENT))
        assert "Sales report" in page.read_text(encoding="utf-8")

        assert pipeline.crawl().success
        await_report(deployment, 2)

        dates = Path(pipeline.lake.uri(("star", "dim_dates")))
        dates.write_bytes(Path(pipeline.lake.uri(("star", "dim_products"))).read_bytes())
        assert not pipeline.crawl().success  # a file that violates its contract
        deployment.await_evaluations(SENSOR)
        assert reports(pipeline.instance) == 2


def test_a_notebook_that_fails_fails_the_asset_with_the_cells_error(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    """The notebook fails because there is no catalog."""
    settings = Settings(catalog=tmp_path / "none.duckdb", lake_uri=str(tmp_path / "lake"))
    pipeline = Pipeline(settings, instance)
    reason = pipeline.reason(pipeline.materialize(KEY))
    assert "sales_report.ipynb failed in the cell" in reason
    assert "star.tables()" in reason
    assert "does not exist yet: `make run` creates it" in reason
    assert not Path(pipeline.lake.document_uri(DOCUMENT)).exists()


def test_loading_the_definitions_needs_neither_altair_nor_jupyter() -> None:
    code = (
        "import sys, starschema_assets.definitions; "
        "print([n for n in ('altair', 'nbconvert', 'nbclient', 'ipywidgets') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
