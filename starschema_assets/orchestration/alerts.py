"""Alerts: one message to an SNS topic for each run that failed, which tells where and why."""

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
"""Messages that one evaluation sends at most: it may take 60 s."""
FIRST_SECONDS = 3600
"""How far the very first evaluation looks back; older failures are history."""
REASON_LINES = 12
REASON_CHARACTERS = 2000
SUBJECT_CHARACTERS = 99
"""SNS takes less than a hundred; a subject is ASCII, too."""

_OWN = re.compile(r"^starschema_assets[\w.]*: ")
"""The name of an error of this project, which says nothing that its message doesn't."""
KILLED = (
    "The run itself doesn't say why: its process was killed or couldn't start, its machine went "
    "down, or it took longer than a run may take. What it had not published is as it was."
)

_EVENTS = {
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION,
}


class AlertNotSent(Exception):  # noqa: N818 - reads as what happened
    """SNS didn't take the message; the next evaluation of the sensor sends it again."""


@dataclass(frozen=True)
class Alert:
    """A message of plain text, as SNS sends it by e-mail."""

    subject: str
    text: str


def alert_sensor(settings: Settings) -> SensorDefinition | None:
    """The sensor that sends the alerts, or None without a topic to send them to.

    Dagster's own `run_failure_sensor` sees no run that was started from a command line, and goes
    on to the next run if its function raises: the message would be lost. This one keeps its place
    until SNS has taken the message. If the daemon dies just then, the message is sent twice.
    """
    topic = settings.alert_topic
    if topic is None:
        return None

    @sensor(
        name="alert_after_failure",
        minimum_interval_seconds=SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Sends one message to {topic} for each run that failed, however it was "
        "started. An evaluation that fails shows that SNS didn't take a message; it is sent again.",
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
                    break  # the messages before it were sent: the next evaluation begins with it
                sent.append(run.run_id)
            place = record.storage_id
        context.update_cursor(str(place))
        return SkipReason(f"Alerts sent for runs: {', '.join(sent) or 'none failed'}.")

    return alert_after_failure


def alert(instance: DagsterInstance, run: DagsterRun, record: EventLogRecord, ui_url: str) -> Alert:
    """What is said of a failed run; nothing that the UI doesn't show to everyone."""
    log = [entry.dagster_event for entry in instance.all_logs(run.run_id, _EVENTS)]
    events = [event for event in log if event]
    checks = _failed_checks(events)
    tables = _unpublished(events)
    # A run of Materialize, or of `dagster asset materialize`, has no job of its own
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
    if failure and not failure.event_specific_data:  # from outside: the event itself says why
        reasons = [_cut(failure.message or ""), KILLED]
    elif failure and not reasons:  # before the first step
        reasons = [_cut(failure.message or "")]
    return Alert(
        subject.encode("ascii", "replace").decode()[:SUBJECT_CHARACTERS],
        "\n".join(
            [
                f"{name} failed.\n",
                *(f"{title}: {fact}" for title, fact in facts.items() if fact),
                *(f"\n{said}" for said in reasons),
            ]
        ),
    )


def _attempt(run: DagsterRun) -> str:
    """Which one it was, for a job that is tried again if it is killed."""
    attempt = run.tags.get(ATTEMPT_TAG, "")
    if not attempt or not was_killed(run):
        return ""
    number, _, last = attempt.partition(" of ")
    if number == last:
        return (
            f"{attempt}, all killed: it stays failed. See what kills it, then run {run.job_name}."
        )
    return f"{attempt}, killed: it is tried again by itself."


def _failed_checks(events: Iterable[DagsterEvent]) -> list[str]:
    """As they are written in overrides, e.g. `raw/<table>:key`; warnings aren't among them."""
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
    """The tables that the run was to publish and didn't."""
    planned: set[str] = set()
    published: set[str] = set()
    for event in events:
        if event.asset_key and not isinstance(event.event_specific_data, AssetCheckEvaluation):
            tables = published if event.is_step_materialization else planned
            tables.add(event.asset_key.to_user_string())
    return sorted(planned - published)


def reason(event: DagsterEvent) -> str:
    """Why a step failed, without a stack trace."""
    data = event.step_failure_data
    said = data.user_failure_data.description if data.user_failure_data else None
    error = data.error
    while error and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause  # Dagster's own says only in which step it happened
    if not said:
        said = _OWN.sub("", error.message) if error else ""
    return f"{event.step_key}: {_cut(said)}"


def _cut(text: str) -> str:
    lines = text.strip().splitlines()
    cut = "\n".join(lines[:REASON_LINES])[:REASON_CHARACTERS]
    return cut if cut == "\n".join(lines) else f"{cut}\n… the run's page has the rest"


def _first_place(instance: DagsterInstance) -> int:
    older = RunStatusChangeRecordsFilter(
        DagsterEventType.RUN_FAILURE, before_timestamp=time.time() - FIRST_SECONDS
    )
    records = instance.fetch_run_status_changes(older, limit=1).records
    return records[0].storage_id if records else 0


def _failures(instance: DagsterInstance, place: int) -> Iterator[EventLogRecord]:
    """Those after a place in the log of the instance, the oldest first."""
    newer = RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=place)
    yield from instance.fetch_run_status_changes(newer, limit=ALERTS, ascending=True).records


def _is_news(instance: DagsterInstance, record: EventLogRecord) -> bool:
    """Whether the run hadn't failed before: one that was ended may live on, and fail once more."""
    failures = instance.get_records_for_run(record.run_id, of_type=DagsterEventType.RUN_FAILURE)
    return record.timestamp <= min(failure.timestamp for failure in failures.records)


def _is_of_this_project(run: DagsterRun, context: SensorEvaluationContext) -> bool:
    """A run from a command line doesn't say of which project it is."""
    here, there = context.code_location_origin, run.remote_job_origin
    return not (here and there) or there.location_name == here.location_name


def _send(topic: str, message: Alert) -> None:
    # boto3 takes a third of a second to import, which nobody without a topic needs to spend
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
            f"STARSCHEMA_ALERT_TOPIC {topic}: {advice(error, 'sns')}; "
            f"the message {message.subject!r} will be sent again"
        ) from error
