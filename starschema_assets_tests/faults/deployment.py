"""A pipeline that was refreshed once, for tests that inject faults."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dagster import (
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    EventLogEntry,
    ExecuteInProcessResult,
)

from starschema_assets.lake.lake import Lake, Table, file_of, open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import Sales
from starschema_assets_tests.faults.objects import Objects
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline

TABLES = [*RAW, *STAR]
"""All tables in the order of publication."""
FILES = [file_of(table) for table in TABLES]


@dataclass(frozen=True)
class Base:
    """Lake, Dagster home and source of a successful refresh, to be copied."""

    folder: Path
    sales: Sales

    @property
    def lake(self) -> Path:
        """The lake's directory."""
        return self.folder / "lake"

    @property
    def home(self) -> Path:
        """The Dagster home."""
        return self.folder / "dagster_home"


class Deployment(Pipeline):
    """A pipeline with its Dagster instance, and with the lake's files as readers see them."""

    def __init__(self, settings: Settings, instance: DagsterInstance, objects: Objects) -> None:
        super().__init__(settings, instance)
        self.objects = objects

    def refresh(self, *tables: Sequence[str], accept: Sequence[str] = ()) -> ExecuteInProcessResult:
        """Refresh. The source's server may differ from the one that filled the base's lake."""
        moved = [
            f"{'/'.join(table)}:same_source" for table in tables or TABLES if table[0] == "raw"
        ]
        return super().refresh(*tables, accept=[*moved, *accept])

    @cached_property
    def lake(self) -> Lake:
        """The lake. It stays open, because its downloads are deleted when it is closed."""
        return open_lake(self.settings)

    def published(self) -> dict[str, bytes]:
        """Return the bytes of all objects that readers and crawlers see, by name."""
        return self.objects.published()

    def replaced_since(self, before: dict[str, bytes]) -> list[str]:
        """Return the files whose bytes have changed, in the order of publication."""
        after = self.published()
        assert after.keys() == set(FILES), (
            "a reader finds more or fewer files than there are tables"
        )
        return [name for name in FILES if after[name] != before[name]]

    def run_of(self, table: Table) -> str:
        """Return the run that materialized the table last, according to the instance."""
        event = self.instance.get_latest_materialization_event(AssetKey(table))
        assert event
        return event.run_id

    def last_run(self) -> DagsterRun:
        """Return the run that was started last."""
        return self.instance.get_runs(limit=1)[0]

    def error(self, run_id: str) -> str:
        """Return the failed run's error of this project, which must be a single line."""
        (failure,) = self.instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE)
        said = [text for text in _messages(failure) if text.startswith("starschema_assets.")]
        line, *notes = said[0].splitlines()
        assert all(note.startswith("while staging ") for note in notes), (
            "the error has several lines"
        )
        return line

    def retries(self, run_id: str) -> int:
        """Return how often steps of the run were retried."""
        return len(self.instance.all_logs(run_id, of_type=DagsterEventType.STEP_RESTARTED))

    def left_in_scratch(self) -> set[str]:
        """Return staged files in the scratch folder. Downloads of this process aren't included."""
        return {str(f) for f in self.settings.scratch.rglob("*.parquet") if "staged" in f.parts}

    def assert_refreshes_as_if_nothing_had_happened(self) -> None:
        """Assert that the next run succeeds, replaces all tables, and leaves no other files."""
        before = self.published()
        run = self.refresh()
        assert run.success, self.error(run.run_id)
        assert self.instance.get_runs(limit=1)[0].status == DagsterRunStatus.SUCCESS
        assert self.replaced_since(before) == FILES
        assert {self.run_of(table) for table in TABLES} == {run.run_id}
        assert self.objects.in_the_way() == set()
        assert self.left_in_scratch() == set()
        snapshots = {self.lake.footer(table).metadata["snapshot"] for table in RAW}
        assert len(snapshots) == 1


def _messages(failure: EventLogEntry) -> Iterator[str]:
    """Yield the messages of the step's error and of its causes."""
    assert failure.dagster_event
    error = failure.dagster_event.step_failure_data.error
    while error:
        yield error.message
        error = error.cause
