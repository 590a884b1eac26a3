"""The sensor that has a crawl run after the star was published, however that was started."""

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
"""A publication is let alone for so long: `make run` begins a crawl of its own by then."""
UNDER_WAY = (
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
)
ATTEMPTS = 4
"""How often one publication is crawled at most: a killed crawl is tried again three times."""
PUBLICATIONS = 200
"""Publications of a table that one evaluation looks at: the newest."""


def crawl_sensor(job_name: str) -> SensorDefinition:
    """The sensor for the job that crawls."""

    @sensor(
        name="crawl_after_publication",
        job_name=job_name,
        minimum_interval_seconds=SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Requests one crawl for the newest good run that published a table of the "
        f"star after the last crawl had begun; up to {ATTEMPTS} if they are killed.",
    )
    def crawl_after_publication(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        settled = time.time() - SETTLE_SECONDS
        publication = uncrawled_publication(context.instance, job_name, before=settled)
        if publication is None:
            return SkipReason("Every publication of the star has been crawled.")
        attempt = next_attempt(context.instance, job_name, publication)
        if attempt is None:
            return SkipReason(f"{publication}: its crawl failed, and isn't tried again by itself.")
        return RunRequest(
            run_key=run_key(publication, attempt), tags={ATTEMPT_TAG: f"{attempt} of {ATTEMPTS}"}
        )

    return crawl_after_publication


def uncrawled_publication(
    instance: DagsterInstance, job_name: str, *, before: float | None = None
) -> str | None:
    """The newest good run whose publications no crawl can have seen, by its id.

    A crawl sees what was published before it began. This needs no cursor, so nothing is forgotten
    when the daemon restarts; what was requested already is known by its run key. A publication
    outside of a run, which is a restore, is named by its time.
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
    """Which attempt at a crawl is due, from 1; None after one that wasn't killed, or after all.

    A run key is served once: each attempt has its own.
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
    """By what Dagster knows the attempt at a crawl."""
    return publication if attempt == 1 else f"{publication}, attempt {attempt}"


def _last_start(
    instance: DagsterInstance, job_name: str, crawl_runs: Sequence[str]
) -> float | None:
    """When the last crawl began, be it ended or under way; one that is queued is yet to begin."""
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
