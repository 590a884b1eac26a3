"""Alerts: one message to an SNS topic per failed run, with the reason of the failure."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DefaultSensorStatus,
    EventLogRecord,
    RunStatusChangeRecordsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from starschema_assets.processes import ATTEMPT_TAG, was_killed
from starschema_assets.settings import Settings

SECONDS = 15
ALERTS = 5
"""Maximum number of messages per evaluation, which must end within 60 s."""
FIRST_SECONDS = 3600
"""How far the very first evaluation looks back. Older failures aren't reported."""
REASON_LINES = 12
REASON_CHARACTERS = 2000
SUBJECT_CHARACTERS = 99
"""SNS requires subjects of less than 100 ASCII characters."""

_OWN = re.compile(r"^starschema_assets[\w.]*: ")
"""The class name of this project's errors. It adds nothing to the message."""
KILLED = (
    "The run recorded no error: its process was killed or couldn't start, its machine went down, "
    "or it exceeded the time limit. Tables that it had not published are unchanged."
)

_EVENTS = {
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION,
}


class AlertNotSent(Exception):  # noqa: N818 - named after the event
    """SNS didn't accept the message. The next evaluation of the sensor sends it again."""


@dataclass(frozen=True)
class Alert:
    """A plain-text message for SNS, e.g. for e-mail subscribers."""

    subject: str
    text: str


def alert_sensor(settings: Settings) -> SensorDefinition | None:
    """Return the sensor that sends alerts, or None if no topic is set.

    Dagster's `run_failure_sensor` ignores runs that were started from a command line, and loses
    the message if its function raises. This sensor moves its cursor only after SNS has accepted
    the message. If the daemon is killed in between, the message is sent twice.
    """
    topic = settings.alert_topic
    if topic is None:
        return None

    @sensor(
        name="alert_after_failure",
        minimum_interval_seconds=SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Sends one message to {topic} per failed run, however the run was started. "
        "If SNS doesn't accept a message, the next evaluation sends it again.",
    )
    def alert_after_failure(context: SensorEvaluationContext) -> SkipReason:
        instance = context.instance
        place = int(context.cursor) if context.cursor else _first_place(instance)
        sent: list[str] = []
        for record in _failures(instance, place):
            run = instance.get_run_by_id(record.run_id)
            if run and _is_of_this_project(run, context) and _is_news(instance, record):
                try:
                    _send(topic, alert(instance, run, record, settings.ui_url))
                except AlertNotSent:
                    if not sent:
                        raise
                    break  # keep the cursor of the messages sent; the next evaluation retries this
                sent.append(run.run_id)
            place = record.storage_id
        context.update_cursor(str(place))
        return SkipReason(f"Alerts sent for runs: {', '.join(sent) or 'no new failures'}.")

    return alert_after_failure


def alert(instance: DagsterInstance, run: DagsterRun, record: EventLogRecord, ui_url: str) -> Alert:
    """Return the message about a failed run. It contains only what the UI shows as well."""
    log = [entry.dagster_event for entry in instance.all_logs(run.run_id, _EVENTS)]
    events = [event for event in log if event]
    checks = _failed_checks(events)
    tables = _unpublished(events)
    # Runs of the Materialize button or of `dagster asset materialize` have no named job
    name = "ad-hoc run" if run.job_name.startswith("__") else run.job_name
    subject = f"{name} failed" + (f": {', '.join(checks)}" if checks else "")
    facts = {
        "Run": f"{ui_url.rstrip('/')}/runs/{run.run_id}",
        "Failed checks": ", ".join(checks),
        "Not published": ", ".join(tables),
        "Attempt": _attempt(run),
    }
    reasons = [reason(event) for event in events if event.is_step_failure]
    failure = record.event_log_entry.dagster_event
    if failure and not failure.event_specific_data:  # ended from outside: the event has the reason
        reasons = [_cut(failure.message or ""), KILLED]
    elif failure and not reasons:  # failed before the first step
        reasons = [_cut(failure.message or "")]
    return Alert(
        subject.encode("ascii", "replace").decode()[:SUBJECT_CHARACTERS],
        "\n".join(
            [
                f"{name} failed.\n",
                *(f"{title}: {fact}" for title, fact in facts.items() if fact),
                *(f"\n{text}" for text in reasons),
            ]
        ),
    )


def _attempt(run: DagsterRun) -> str:
    """Return the attempt of a killed run, and whether another one follows; else empty."""
    attempt = run.tags.get(ATTEMPT_TAG, "")
    if not attempt or not was_killed(run):
        return ""
    number, _, last = attempt.partition(" of ")
    if number == last:
        return f"{attempt}, all killed: no more retries. Find the cause, then run {run.job_name}."
    return f"{attempt}, killed: it will be retried automatically."


def _failed_checks(events: Iterable[DagsterEvent]) -> list[str]:
    """Return the failed blocking checks in the form of the `accept` config: `raw/<table>:key`."""
    results = {}
    for event in events:
        result = event.event_specific_data
        if isinstance(result, AssetCheckEvaluation):
            results[f"{result.asset_key.to_user_string()}:{result.check_name}"] = result
    return [
        title
        for title, result in results.items()
        if not result.passed and result.severity == AssetCheckSeverity.ERROR
    ]


def _unpublished(events: Iterable[DagsterEvent]) -> list[str]:
    """Return the tables that the run planned to publish and didn't."""
    planned: set[str] = set()
    published: set[str] = set()
    for event in events:
        if event.asset_key and not isinstance(event.event_specific_data, AssetCheckEvaluation):
            tables = published if event.is_step_materialization else planned
            tables.add(event.asset_key.to_user_string())
    return sorted(planned - published)


def reason(event: DagsterEvent) -> str:
    """Return why a step failed, without a stack trace."""
    data = event.step_failure_data
    message = data.user_failure_data.description if data.user_failure_data else None
    error = data.error
    while error and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause  # Dagster's wrapping error names only the step
    if not message:
        message = _OWN.sub("", error.message) if error else ""
    return f"{event.step_key}: {_cut(message)}"


def _cut(text: str) -> str:
    lines = text.strip().splitlines()
    cut = "\n".join(lines[:REASON_LINES])[:REASON_CHARACTERS]
    return cut if cut == "\n".join(lines) else f"{cut}\n… see the run's page for the rest"


def _first_place(instance: DagsterInstance) -> int:
    older = RunStatusChangeRecordsFilter(
        DagsterEventType.RUN_FAILURE, before_timestamp=time.time() - FIRST_SECONDS
    )
    records = instance.fetch_run_status_changes(older, limit=1).records
    return records[0].storage_id if records else 0


def _failures(instance: DagsterInstance, place: int) -> Iterator[EventLogRecord]:
    """Yield the failure events after the storage id `place`, oldest first."""
    newer = RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=place)
    yield from instance.fetch_run_status_changes(newer, limit=ALERTS, ascending=True).records


def _is_news(instance: DagsterInstance, record: EventLogRecord) -> bool:
    """Return whether this is the run's first failure. A terminated run may fail once more."""
    failures = instance.get_records_for_run(record.run_id, of_type=DagsterEventType.RUN_FAILURE)
    return record.timestamp <= min(failure.timestamp for failure in failures.records)


def _is_of_this_project(run: DagsterRun, context: SensorEvaluationContext) -> bool:
    """Return False for another project's run. A run from a command line names no project."""
    here, there = context.code_location_origin, run.remote_job_origin
    return not (here and there) or there.location_name == here.location_name


def _send(topic: str, message: Alert) -> None:
    # Imported here because boto3 takes a third of a second, and is needed only with a topic
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from starschema_assets.aws import advice  # noqa: PLC0415

    config = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    try:
        client = boto3.Session(region_name=topic.split(":")[3]).client("sns", config=config)
        client.publish(TopicArn=topic, Subject=message.subject, Message=message.text)
    except (BotoCoreError, ClientError) as error:
        raise AlertNotSent(
            f"STARSCHEMA_ALERT_TOPIC {topic}: could not send {message.subject!r}, will retry: "
            f"{advice(error, 'sns')}"
        ) from error
