"""A pipeline that was refreshed once and is about to meet a fault."""

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
"""In the order of their publication."""
FILES = [file_of(table) for table in TABLES]


@dataclass(frozen=True)
class Base:
    """The lake, the Dagster home and the source of one good refresh, to be copied."""

    folder: Path
    sales: Sales

    @property
    def lake(self) -> Path:
        """The tables, as files."""
        return self.folder / "lake"

    @property
    def home(self) -> Path:
        """The Dagster home."""
        return self.folder / "dagster_home"


class Deployment(Pipeline):
    """The pipeline, its lake as others see it, and its instance as the UI sees it."""

    def __init__(self, settings: Settings, instance: DagsterInstance, objects: Objects) -> None:
        super().__init__(settings, instance)
        self.objects = objects

    def refresh(self, *tables: Sequence[str], accept: Sequence[str] = ()) -> ExecuteInProcessResult:
        """Refresh, also from another server than the one that filled the base's lake."""
        moved = [
            f"{'/'.join(table)}:same_source" for table in tables or TABLES if table[0] == "raw"
        ]
        return super().refresh(*tables, accept=[*moved, *accept])

    @cached_property
    def lake(self) -> Lake:
        """The lake, opened once: what it downloads is there for as long as it is open."""
        return open_lake(self.settings)

    def published(self) -> dict[str, bytes]:
        """The bytes of every object that a reader or a crawler of the lake finds."""
        return self.objects.published()

    def replaced_since(self, before: dict[str, bytes]) -> list[str]:
        """The tables whose bytes are no longer those, in the order of publication."""
        after = self.published()
        assert after.keys() == set(FILES), (
            "a reader finds more or fewer files than there are tables"
        )
        return [name for name in FILES if after[name] != before[name]]

    def run_of(self, table: Table) -> str:
        """The run that, as the instance shows it, materialized the table last."""
        event = self.instance.get_latest_materialization_event(AssetKey(table))
        assert event
        return event.run_id

    def last_run(self) -> DagsterRun:
        """The run that was started last."""
        return self.instance.get_runs(limit=1)[0]

    def error(self, run_id: str) -> str:
        """The one line in which the run says what went wrong: the project's own error."""
        (failure,) = self.instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE)
        said = [text for text in _messages(failure) if text.startswith("starschema_assets.")]
        line, *notes = said[0].splitlines()
        assert all(note.startswith("while staging ") for note in notes), "it is more than a line"
        return line

    def retries(self, run_id: str) -> int:
        """How often steps of the run began again."""
        return len(self.instance.all_logs(run_id, of_type=DagsterEventType.STEP_RESTARTED))

    def left_in_scratch(self) -> set[str]:
        """The files of the scratch folder, other than those that this process itself may hold."""
        return {str(f) for f in self.settings.scratch.rglob("*.parquet") if "staged" in f.parts}

    def assert_refreshes_as_if_nothing_had_happened(self) -> None:
        """The next run succeeds, replaces every table, and leaves nothing but the tables."""
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
    """What the step's failure says, then each of its causes."""
    assert failure.dagster_event
    error = failure.dagster_event.step_failure_data.error
    while error:
        yield error.message
        error = error.cause
