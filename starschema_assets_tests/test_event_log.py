"""The event log of a checkout's instance: complete, and seen by others while a run goes on."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, asset, materialize
from dagster._core.events.log import EventLogEntry

from starschema_assets.event_log import EventLog
from starschema_assets.settings import CHECKOUT

PATIENCE = 30


@asset
def told() -> None:
    """An asset with nothing in it."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an instance that is configured as the checkout's."""
    shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[DagsterInstance]:
    """The instance, as the process of a run opens it."""
    with DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        yield instance


def test_another_process_finds_each_run_and_its_asset(
    instance: DagsterInstance, home: Path
) -> None:
    runs = [materialize([told], instance=instance).run_id for _ in range(2)]
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")  # Dagster's own event log
    with DagsterInstance.from_config(str(home)) as other:
        assert not isinstance(other.event_log_storage, EventLog)
        found = other.fetch_materializations(AssetKey("told"), limit=10).records
        assert [record.run_id for record in found] == runs[::-1]
        for run in runs:
            assert len(other.all_logs(run)) == len(instance.all_logs(run)) > 5


def test_who_watches_a_run_is_told_of_its_events(instance: DagsterInstance, home: Path) -> None:
    run = materialize([told], instance=instance).run_id
    seen = threading.Event()

    def look(event: EventLogEntry, _: str) -> None:
        if event.message == "one more":
            seen.set()

    with DagsterInstance.from_config(str(home)) as watching:
        watching.watch_event_logs(run, None, look)
        instance.report_engine_event("one more", instance.get_run_by_id(run))
        assert seen.wait(PATIENCE)


def test_events_that_were_wiped_are_gone_and_new_ones_are_kept(instance: DagsterInstance) -> None:
    before = materialize([told], instance=instance).run_id
    instance.wipe()
    after = materialize([told], instance=instance).run_id
    found = instance.fetch_materializations(AssetKey("told"), limit=10).records
    assert [record.run_id for record in found] == [after] != [before]
