"""The command `make restore`, which restores earlier versions."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from dagster import AssetKey, DagsterInstance
from dagster._core.errors import DagsterHomeNotSetError

from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.restore import main
from starschema_assets.settings import Settings
from starschema_assets_tests.lake.tables import DIMENSION, FACT, LOG, publish, runs_in

LOCATION = ("star", "dim_locations")


@pytest.fixture
def dagster_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "dagster"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@dataclass
class Command:
    """Runs `python -m starschema_assets.restore` in this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, target: str, settings: Settings) -> str:
        """Run the command and return its output. Raise its error if it fails."""
        self.monkeypatch.setenv("STARSCHEMA_LAKE_URI", settings.lake_uri)
        self.monkeypatch.setenv("STARSCHEMA_SCRATCH", str(settings.scratch))
        self.monkeypatch.setenv("STARSCHEMA_LOCK_WAIT", "0")
        self.monkeypatch.setattr(sys, "argv", ["restore", target])
        main()
        return self.capsys.readouterr().out


@pytest.fixture
def restore(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


def current_runs(settings: Settings, *tables: tuple[str, ...]) -> list[str]:
    lake = open_lake(settings)
    runs = [runs_in(lake.fetch(table))[0] for table in tables]
    lake.close()
    return runs


@pytest.mark.usefixtures("dagster_home")
def test_a_table_goes_back_alone_and_it_is_on_record(
    lake: Lake, settings: Settings, restore: Command
) -> None:
    publish(lake, "r1", FACT, DIMENSION)
    publish(lake, "r2", FACT, DIMENSION)
    printed = restore("star/fact_orders", settings)
    assert "star/fact_orders: restored the version of run r1 of" in printed
    assert "It replaces the version of run r2" in printed
    assert current_runs(settings, FACT, DIMENSION) == ["r1", "r2"]
    with DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(AssetKey(FACT))
        assert event
        assert event.asset_materialization
        metadata = event.asset_materialization.metadata
        assert metadata["restored_run_id"].value == "r1"
        assert metadata["undone_run_id"].value == "r2"
        assert metadata["dagster/uri"].value == lake.uri(FACT)
        assert instance.get_latest_materialization_event(AssetKey(DIMENSION)) is None


@pytest.mark.usefixtures("dagster_home")
@pytest.mark.parametrize("entry", ["digest", "histories"])
def test_what_belongs_to_a_history_does_not_go_back_alone(
    local_settings: Settings, entry: str, restore: Command
) -> None:
    lake = open_lake(local_settings)
    for run in ("r1", "r2"):
        with lake.lock("test", LOG):
            rows = pa.table({"run": [run]}).to_reader()
            lake.publish(lake.stage(FACT, rows, run, metadata={entry: "{}"}))
    with pytest.raises(LakeError, match=r"restored together.*restore TABLE=star$"):
        restore("star/fact_orders", local_settings)
    assert current_runs(local_settings, FACT) == ["r2"]
    assert "restored the version of run r1 of" in restore("star", local_settings)


@pytest.mark.usefixtures("dagster_home")
def test_a_history_that_goes_back_tells_what_becomes_of_the_days_after_it(
    local_settings: Settings, restore: Command
) -> None:
    lake = open_lake(local_settings)
    for day in ("2026-01-05", "2026-01-06"):
        with lake.lock("test", LOG):
            rows = pa.table({"run": [day]}).to_reader()
            lake.publish(lake.stage(FACT, rows, day, metadata={"digest": "", "day": day}))
    printed = restore("star", local_settings)
    assert "The histories are now those of 2026-01-05. The next refresh dates all later" in printed
    assert "`make history` rebuilds the days that were undone" in printed


@pytest.mark.usefixtures("dagster_home")
def test_a_stage_goes_back_by_the_run_that_wrote_it_last(
    lake: Lake, settings: Settings, restore: Command
) -> None:
    """Raw tables, and star tables that another run wrote, aren't restored."""
    publish(lake, "r1", FACT, DIMENSION, LOCATION)
    publish(lake, "r2", FACT, DIMENSION, LOCATION)
    publish(lake, "r3", DIMENSION, FACT)
    publish(lake, "r4", ("raw", "orders"))
    fact, dimension = restore("star", settings).splitlines()
    assert fact.startswith("star/fact_orders: ")  # before the dimensions that it refers to
    assert dimension.startswith("star/dim_products: ")
    assert current_runs(settings, FACT, DIMENSION, LOCATION) == ["r2", "r2", "r2"]
    assert current_runs(settings, ("raw", "orders")) == ["r4"]
    restore("star", settings)
    assert current_runs(settings, FACT, DIMENSION, LOCATION) == ["r1", "r1", "r1"]


@pytest.mark.usefixtures("dagster_home")
def test_a_table_that_the_run_wrote_first_stays(
    lake: Lake, settings: Settings, restore: Command, caplog: pytest.LogCaptureFixture
) -> None:
    publish(lake, "r1", FACT)
    publish(lake, "r2", DIMENSION, FACT)
    restore("star", settings)
    assert "Not restored: star/dim_products has no earlier version" in caplog.text
    assert current_runs(settings, FACT, DIMENSION) == ["r1", "r2"]


@pytest.mark.usefixtures("dagster_home")
@pytest.mark.parametrize("target", ["star", "star/fact_orders"])
def test_nothing_to_go_back_to_is_said_in_one_line(
    lake: Lake, settings: Settings, target: str, restore: Command
) -> None:
    publish(lake, "r1")
    with pytest.raises(LakeError, match=r"^star/fact_orders(: bucket| has no earlier version).*$"):
        restore(target, settings)


@pytest.mark.usefixtures("dagster_home")
@pytest.mark.parametrize("target", ["star", "star/fact_orders"])
def test_what_is_not_published_cannot_be_undone(
    settings: Settings, target: str, restore: Command
) -> None:
    with pytest.raises(LakeError, match=target):
        restore(target, settings)


@pytest.mark.usefixtures("dagster_home")
def test_a_restore_does_not_meet_a_refresh(
    lake: Lake, settings: Settings, restore: Command
) -> None:
    publish(lake, "r1")
    publish(lake, "r2")
    with (
        lake.lock("a refresh", LOG),
        pytest.raises(LakeError, match="held after 0 s by a refresh"),
    ):
        restore("star", settings)
    assert current_runs(settings, FACT) == ["r2"]


def test_nothing_is_restored_that_cannot_be_put_on_record(
    local_settings: Settings, monkeypatch: pytest.MonkeyPatch, restore: Command
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    lake = open_lake(local_settings)
    publish(lake, "r1")
    publish(lake, "r2")
    with pytest.raises(DagsterHomeNotSetError, match="DAGSTER_HOME"):
        restore("star", local_settings)
    assert current_runs(local_settings, FACT) == ["r2"]
