"""The sensor that requests a crawl after any run has published tables of the star."""

import time
from collections.abc import Sequence

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    EventLogRecord,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from dagster._core.storage.tags import RUN_KEY_TAG

from starschema_assets.catalog.assets import KEY
from starschema_assets.processes import ATTEMPT_TAG, was_killed
from starschema_assets.star.models import MODELS

SECONDS = 15
SETTLE_SECONDS = 5
"""Minimum age of a publication. By then, `make run` has started its own crawl."""
UNDER_WAY = (
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
)
ATTEMPTS = 4
"""Maximum number of crawls per publication: a killed crawl is repeated three times."""
PUBLICATIONS = 200
"""Number of newest publications per table that one evaluation looks at."""


def crawl_sensor(job_name: str) -> SensorDefinition:
    """Return the sensor that starts the crawl job `job_name`."""

    @sensor(
        name="crawl_after_publication",
        job_name=job_name,
        minimum_interval_seconds=SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Requests a crawl if a successful run published a table of the star after the "
        f"last crawl had started. A killed crawl is repeated, up to {ATTEMPTS} crawls in total.",
    )
    def crawl_after_publication(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        settled = time.time() - SETTLE_SECONDS
        publication = uncrawled_publication(context.instance, job_name, before=settled)
        if publication is None:
            return SkipReason("All published tables of the star have been crawled.")
        attempt = next_attempt(context.instance, job_name, publication)
        if attempt is None:
            return SkipReason(f"The crawl for {publication} failed. It isn't retried.")
        return RunRequest(
            run_key=run_key(publication, attempt), tags={ATTEMPT_TAG: f"{attempt} of {ATTEMPTS}"}
        )

    return crawl_after_publication


def uncrawled_publication(
    instance: DagsterInstance, job_name: str, *, before: float | None = None
) -> str | None:
    """Return the id of the newest successful run that published after the last crawl started.

    A crawl sees only tables that were published before it started. No cursor is needed, so nothing
    is missed if the daemon restarts; the run key prevents duplicate requests. A restore publishes
    outside of a run, and is identified by its time.
    """
    crawls = _records(instance, AssetRecordsFilter(KEY), limit=1)
    since = _last_start(instance, job_name, [crawl.run_id for crawl in crawls])
    publications = {
        record.run_id or f"restored at {record.timestamp}": record
        for model in MODELS
        for record in _records(
            instance,
            AssetRecordsFilter(
                AssetKey(model.contract.path), after_timestamp=since, before_timestamp=before
            ),
            PUBLICATIONS,
        )
        if record.run_id not in {crawl.run_id for crawl in crawls}
    }
    newest_first = sorted(publications, key=lambda name: publications[name].storage_id)[::-1]
    return next((name for name in newest_first if _is_good(instance, publications[name])), None)


def next_attempt(instance: DagsterInstance, job_name: str, publication: str) -> int | None:
    """Return the number of the next crawl attempt, from 1.

    Returns None if the last attempt wasn't killed or no attempts are left. Dagster starts only one
    run per run key, so each attempt has its own run key.
    """
    for attempt in range(1, ATTEMPTS + 1):
        tags = {RUN_KEY_TAG: run_key(publication, attempt)}
        runs = instance.get_runs(RunsFilter(job_name=job_name, tags=tags), limit=1)
        if not runs:
            return attempt
        if not was_killed(runs[0]):
            return None
    return None


def run_key(publication: str, attempt: int) -> str:
    """Return Dagster's run key of a crawl attempt."""
    return publication if attempt == 1 else f"{publication}, attempt {attempt}"


def _last_start(
    instance: DagsterInstance, job_name: str, crawl_runs: Sequence[str]
) -> float | None:
    """Return the start time of the last crawl, ended or in progress. Queued crawls count as now."""
    under_way = RunsFilter(job_name=job_name, statuses=UNDER_WAY)
    ended = (instance.get_run_record_by_id(run_id) for run_id in crawl_runs)
    records = [record for record in ended if record] + list(instance.get_run_records(under_way))
    return max((record.start_time or time.time() for record in records), default=None)


def _records(
    instance: DagsterInstance, wanted: AssetRecordsFilter, limit: int
) -> Sequence[EventLogRecord]:
    return instance.fetch_materializations(wanted, limit=limit).records


def _is_good(instance: DagsterInstance, record: EventLogRecord) -> bool:
    if not record.run_id:
        return True
    run = instance.get_run_by_id(record.run_id)
    return run is not None and run.status == DagsterRunStatus.SUCCESS
