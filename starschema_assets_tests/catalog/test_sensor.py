"""The sensor finds publications that need a crawl from events in the Dagster instance."""

import time
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    ExecuteInProcessResult,
    Failure,
    asset,
    define_asset_job,
    in_process_executor,
)
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.storage.tags import RUN_KEY_TAG

from starschema_assets.catalog.sensor import ATTEMPTS, next_attempt, run_key, uncrawled_publication
from starschema_assets_tests.pipeline import STAR

FACT = AssetKey(STAR[-1])
CRAWL = "crawl_star_schema"
CATALOG = AssetKey(["catalog", "star_schema"])


@asset(key=FACT)
def fact() -> None:
    """Stands in for the star. Only its event matters here."""


@asset(key=AssetKey(STAR[0]), deps=[fact])
def fails() -> None:
    """Fails after the fact was published."""
    raise Failure("no")


@asset(key=CATALOG, deps=[fact])
def catalog() -> None:
    """Stands in for the crawl."""


DEFINITIONS = Definitions(
    assets=[fact, fails, catalog],
    jobs=[define_asset_job("job", selection="*")],
    executor=in_process_executor,
)


def run(instance: DagsterInstance, *keys: AssetKey) -> ExecuteInProcessResult:
    return DEFINITIONS.resolve_job_def("job").execute_in_process(
        instance=instance, asset_selection=list(keys), raise_on_error=False
    )


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # Dagster's own IO manager writes to the working directory


def test_nothing_was_published(instance: DagsterInstance) -> None:
    assert uncrawled_publication(instance, CRAWL) is None


def test_a_good_run_needs_a_crawl_until_there_was_one(instance: DagsterInstance) -> None:
    published = run(instance, FACT)
    assert uncrawled_publication(instance, CRAWL) == published.run_id
    run(instance, CATALOG)
    assert uncrawled_publication(instance, CRAWL) is None


def test_a_run_that_crawled_itself_needs_no_other(instance: DagsterInstance) -> None:
    run(instance, FACT, CATALOG)
    assert uncrawled_publication(instance, CRAWL) is None


def test_one_crawl_covers_several_runs(instance: DagsterInstance) -> None:
    run(instance, FACT)
    newest = run(instance, FACT)
    assert uncrawled_publication(instance, CRAWL) == newest.run_id


def test_a_failed_run_needs_no_crawl_and_hides_no_good_one(instance: DagsterInstance) -> None:
    good = run(instance, FACT)
    assert not run(instance, FACT, AssetKey(STAR[0])).success
    assert uncrawled_publication(instance, CRAWL) == good.run_id
    run(instance, CATALOG)
    assert not run(instance, FACT, AssetKey(STAR[0])).success
    assert uncrawled_publication(instance, CRAWL) is None


def test_a_crawl_that_began_after_the_publication_is_waited_for(instance: DagsterInstance) -> None:
    published = run(instance, FACT)
    under_way = instance.add_run(DagsterRun(job_name=CRAWL, status=DagsterRunStatus.STARTED))
    assert uncrawled_publication(instance, CRAWL) is None
    instance.report_run_failed(under_way)
    assert uncrawled_publication(instance, CRAWL) == published.run_id


def test_a_crawl_that_began_before_the_publication_does_not_cover_it(
    instance: DagsterInstance,
) -> None:
    under_way = instance.add_run(DagsterRun(job_name=CRAWL, status=DagsterRunStatus.STARTING))
    began = DagsterEvent(DagsterEventType.PIPELINE_START.value, CRAWL)
    instance.report_dagster_event(began, under_way.run_id)
    published = run(instance, FACT)
    assert uncrawled_publication(instance, CRAWL) == published.run_id


def test_a_publication_is_let_alone_for_a_moment(instance: DagsterInstance) -> None:
    before = time.time()
    published = run(instance, FACT)
    assert uncrawled_publication(instance, CRAWL, before=before) is None
    assert uncrawled_publication(instance, CRAWL, before=time.time()) == published.run_id


def test_a_restore_needs_a_crawl(instance: DagsterInstance) -> None:
    run(instance, FACT, CATALOG)
    instance.report_runless_asset_event(AssetMaterialization(FACT))
    publication = uncrawled_publication(instance, CRAWL)
    assert publication
    assert publication.startswith("restored at")


def crawl_run(instance: DagsterInstance, attempt: int) -> DagsterRun:
    """Add the run of a crawl attempt for the publication `p`, as the sensor requests it."""
    tags = {RUN_KEY_TAG: run_key("p", attempt)}
    return instance.add_run(DagsterRun(CRAWL, status=DagsterRunStatus.STARTED, tags=tags))


def test_a_crawl_that_was_killed_is_tried_again_thrice(instance: DagsterInstance) -> None:
    for attempt in (1, 2, 3, 4):
        assert next_attempt(instance, CRAWL, "p") == attempt
        instance.report_run_failed(crawl_run(instance, attempt))
    assert next_attempt(instance, CRAWL, "p") is None
    assert next_attempt(instance, CRAWL, "another") == 1
    assert len({run_key("p", attempt) for attempt in range(1, ATTEMPTS + 1)}) == 4


@pytest.mark.parametrize("end", ["failed by itself", "terminated by somebody", "under way"])
def test_a_crawl_that_was_not_killed_is_not_tried_again(
    instance: DagsterInstance, end: str
) -> None:
    crawl = crawl_run(instance, 1)
    if end == "failed by itself":
        data = JobFailureData(None, RunFailureReason.STEP_FAILURE)
        instance.report_run_failed(crawl, "Steps failed", data)
    if end == "terminated by somebody":
        instance.report_run_canceled(crawl)
    assert next_attempt(instance, CRAWL, "p") is None
