"""`make run`: refresh the star and its catalog in this process, and print first results."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dagster import (
    AssetKey,
    DagsterInstance,
    EventLogEntry,
    InitLoggerContext,
    JobDefinition,
    JobExecutionResult,
    execute_job,
    logger,
    reconstructable,
)

from starschema_assets import command
from starschema_assets.analytics.answer import QueryError
from starschema_assets.analytics.query import query, questions, read, show
from starschema_assets.errors import StarschemaError, told
from starschema_assets.orchestration.alerts import reason
from starschema_assets.sample import ensure_sample
from starschema_assets.settings import Settings

FIRST_QUESTIONS = ("sales_by_country", "sales_by_product_line")
QUIET: dict[str, Any] = {"loggers": {"one_line": {}}}


class FirstLine(logging.Formatter):
    """Formats the first line of a message, without the stack trace below it."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).partition("\n")[0]


@logger(None, description="One line per event, from level INFO.")
def one_line(_: InitLoggerContext) -> logging.Logger:
    """Return the console logger for runs in this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(FirstLine("%(asctime)s %(levelname)s %(message)s"))
    console = logging.Logger("dagster", logging.INFO)  # noqa: LOG001 - one per run, like Dagster's
    console.addHandler(handler)
    return console


def refresh() -> JobDefinition:
    """Return the refresh job. Dagster finds it by this function's name."""
    return _job("refresh_star_schema")


def crawl() -> JobDefinition:
    """Return the crawl job. Dagster finds it by this function's name."""
    return _job("crawl_star_schema")


def _job(name: str) -> JobDefinition:
    # Imported here because it reads the settings, whose errors `command` must catch
    from starschema_assets.definitions import defs  # noqa: PLC0415

    return defs.resolve_job_def(name).with_logger_defs({"one_line": one_line})


def main() -> None:
    """Run both jobs on the instance that the UI shows. Raises StarschemaError if one fails."""
    settings = Settings()
    if "source_url" not in settings.model_fields_set:
        ensure_sample()
    with DagsterInstance.get() as instance:
        for job in (refresh, crawl):
            execute(instance, job, QUIET)
    known = questions()
    for question in [q for q in FIRST_QUESTIONS if q in known] or list(known)[:2]:
        print(f"\n{question.replace('_', ' ').capitalize()}")
        try:
            show(query(read(question), settings))
        except QueryError as error:
            print(f"No result: {told(error)}")
    print(f"\nThe tables are in {settings.lake_uri}. `make ui` shows how they were built.")


def execute(
    instance: DagsterInstance,
    job: Callable[[], JobDefinition],
    run_config: Mapping[str, Any],
    assets: Sequence[AssetKey] | None = None,
) -> None:
    """Run a job, or only its given assets. Raises StarschemaError if the run fails."""
    run = execute_job(reconstructable(job), instance, run_config=run_config, asset_selection=assets)
    if not run.success:
        log = command.keep("\n".join(_log(instance, run.run_id)))
        raise StarschemaError(
            f"{_causes(run)}\n{job.__name__} failed; {_published(run)}. "
            f"Full log: {log}, or run {run.run_id} in `make ui`."
        )


def _causes(run: JobExecutionResult) -> str:
    events = [event for event in run.all_events if event.is_failure]
    steps = [reason(event) for event in events if event.is_step_failure]
    return "\n".join(steps or [event.message or "" for event in events])


def _published(run: JobExecutionResult) -> str:
    events = [event for event in run.all_events if event.is_step_materialization]
    names = [event.asset_key.to_user_string() for event in events if event.asset_key]
    return f"it had published {', '.join(names)}" if names else "it published nothing"


def _log(instance: DagsterInstance, run_id: str) -> Iterator[str]:
    for entry in instance.all_logs(run_id):
        time = datetime.fromtimestamp(entry.timestamp, UTC)
        yield f"{time:%Y-%m-%d %H:%M:%S} {entry.step_key or '-'} {entry.message}{_trace(entry)}"


def _trace(entry: EventLogEntry) -> str:
    data = entry.dagster_event.event_specific_data if entry.dagster_event else None
    error = getattr(data, "error", None)
    return f"\n{error.to_string()}" if error else ""


if __name__ == "__main__":
    command.run(main)
