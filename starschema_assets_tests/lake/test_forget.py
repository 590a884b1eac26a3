"""The command `make forget`, which deletes tables."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from starschema_assets import forget, restore
from starschema_assets.catalog.embedded import EmbeddedCatalog
from starschema_assets.errors import StarschemaError
from starschema_assets.lake.errors import LakeError, NotPublished
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.settings import Settings
from starschema_assets.star.models import HISTORIES, MODELS
from starschema_assets_tests.conftest import PLAIN
from starschema_assets_tests.lake.tables import LOG, publish, rows_of, runs_in

OLD = ("star", "dim_shelves")
"""A table without a contract."""
FACT = MODELS[-1].contract
DIMENSION = ("star", FACT.foreign_keys[0].references)
HISTORY = HISTORIES[0].contract.path

Command = Callable[..., str]


@pytest.fixture
def command(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs `python -m starschema_assets.forget` in this process and returns its output."""
    (tmp_path / "dagster").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("STARSCHEMA_LAKE_URI", settings.lake_uri)
    monkeypatch.setenv("STARSCHEMA_SCRATCH", str(settings.scratch))
    monkeypatch.setenv("STARSCHEMA_CATALOG", str(tmp_path / "catalog.duckdb"))

    def run(*arguments: str, main: Callable[[], None] = forget.main) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        main()
        return capsys.readouterr().out

    return run


def publish_history(lake: Lake, run: str) -> None:
    with lake.lock(run, LOG):
        staged = lake.stage(HISTORY, rows_of(run), run, digest=True)
        lake.upload(staged)
        lake.publish(staged)


def test_a_table_goes_from_lake_and_catalog_on_record_and_can_be_put_back(
    lake: Lake, command: Command
) -> None:
    publish(lake, "r1", OLD)
    publish(lake, "r2", OLD, FACT.path)
    catalog = EmbeddedCatalog(Settings())
    catalog.crawl(LOG)

    shown = command("unnamed")
    assert "star/dim_shelves: " in shown
    assert "written by run r2" in shown
    assert FACT.table not in shown
    assert "Nothing was deleted" in shown
    assert lake.tables("star") == sorted([OLD, FACT.path])

    assert "Deleted." in command("unnamed", "--yes")
    assert lake.tables("star") == [FACT.path]
    assert list(catalog.tables()) == [FACT.table]
    with DagsterInstance.get() as instance:
        observed = instance.fetch_observations(AssetRecordsFilter(AssetKey(OLD)), limit=9)
    assert [record.asset_observation is not None for record in observed.records] == [True]
    assert command("unnamed") == "Every published table has a contract.\n"

    put_back = command("star/dim_shelves", main=restore.main)
    assert "star/dim_shelves: restored the version of run r2 of" in put_back
    assert "The table had been deleted" in put_back
    assert runs_in(lake.fetch(OLD)) == ["r2"]


def test_a_history_goes_only_by_a_word_of_its_own(lake: Lake, command: Command) -> None:
    publish_history(lake, "r1")
    publish(lake, "r1", FACT.path)
    assert '"--yes --history"' in command("star")
    with pytest.raises(
        StarschemaError, match=f"{HISTORIES[0].contract.name}: histories can't be read"
    ):
        command("star", "--yes")
    assert lake.tables("star") == sorted([HISTORY, FACT.path])
    command("star", "--yes", "--history")
    assert lake.tables("star") == []
    command(HISTORIES[0].contract.name, main=restore.main)
    assert runs_in(lake.fetch(HISTORY)) == ["r1"]


def test_what_would_break_is_said(lake: Lake, command: Command) -> None:
    publish(lake, "r1", DIMENSION, FACT.path)
    shown = command("/".join(DIMENSION))
    assert f"referred to by {FACT.name}; the next refresh creates it again" in shown


@pytest.mark.usefixtures("lake")
def test_a_table_that_is_not_there_is_named(command: Command) -> None:
    with pytest.raises(NotPublished, match="star/dim_shelves is not in "):
        command("star/dim_shelves", "--yes")


def test_a_bucket_that_keeps_no_versions_keeps_the_table(s3_settings: Settings) -> None:
    lake = open_lake(s3_settings.model_copy(update={"lake_uri": f"s3://{PLAIN}/forget"}))
    publish(lake, "r1", OLD)
    with lake.lock("forget", LOG), pytest.raises(LakeError, match="has no versioning"):
        lake.forget(OLD)
    assert runs_in(lake.fetch(OLD)) == ["r1"]
    lake.close()
