"""Behaviour that only a lake in a directory has."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyarrow import parquet as pq

from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.local import LocalLake
from starschema_assets.settings import Settings
from starschema_assets_tests.lake.tables import DIMENSION, FACT, LOG, publish, rows_of, runs_in


@pytest.fixture
def lake(local_settings: Settings) -> LocalLake:
    return LocalLake(Path(local_settings.lake_uri), local_settings)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Make writing fail as on a full disk. A file size limit needs no privileges."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_more_earlier_versions_are_kept_than_the_setting_says(lake: LocalLake) -> None:
    for run in range(1, 6):
        publish(lake, f"r{run}")
    assert [version.run_id for version in lake.versions(FACT)] == ["r5", "r4", "r3"]
    kept = sorted(Path(lake.uri(FACT)).parents[2].glob("_history/star/fact_orders/*"))
    assert [runs_in(path) for path in kept] == [["r3"], ["r4"]]
    assert [path.name.split("-", 1)[1] for path in kept] == ["r3.parquet", "r4.parquet"]


def test_a_restored_version_takes_no_place_among_the_earlier_ones(lake: LocalLake) -> None:
    for run in ("r1", "r2", "r3"):
        publish(lake, run)
    with lake.lock("restore", LOG):
        lake.restore(FACT, lake.previous(FACT))
    assert [version.run_id for version in lake.versions(FACT)] == ["r2", "r3", "r1"]


def test_earlier_versions_take_no_second_place_on_the_disk(lake: LocalLake) -> None:
    publish(lake, "r1")
    first = lake.fetch(FACT).stat().st_ino
    publish(lake, "r2")
    (kept,) = Path(lake.uri(FACT)).parents[2].glob("_history/star/fact_orders/*")
    assert kept.stat().st_ino == first


def test_readers_find_published_tables_and_nothing_else(lake: LocalLake) -> None:
    publish(lake, "r1", FACT, DIMENSION)
    publish(lake, "r2", FACT)
    root = Path(lake.uri(FACT)).parents[2]
    seen = [path for path in root.rglob("*.parquet") if "/_" not in str(path)]
    assert sorted(seen) == [Path(lake.uri(DIMENSION)), Path(lake.uri(FACT))]
    assert {path.name for path in root.iterdir()} == {"_history", "_lock", "_staging", "star"}


def test_a_full_disk_is_named_with_the_table_and_leaves_the_old_one(lake: LocalLake) -> None:
    publish(lake, "r1")
    with lake.lock("r2", LOG):
        with (
            files_of_at_most(2000),
            pytest.raises(LakeError, match=r"star/fact_orders could not be written.*MiB free"),
        ):
            lake.stage(FACT, rows_of("r2", 100_000), "r2")
        assert not list(Path(lake.uri(FACT)).parents[2].glob("_staging/*/*/*/*"))
    assert runs_in(lake.fetch(FACT)) == ["r1"]


def test_a_directory_that_cannot_be_written_is_named_with_the_table(lake: LocalLake) -> None:
    root = Path(lake.uri(FACT)).parents[2]
    root.mkdir(parents=True)
    (root / "star").write_text("not a folder")
    with pytest.raises(LakeError, match=r"star/fact_orders could not be published to .*star"):
        publish(lake, "r1")


def test_a_file_that_others_put_in_place_is_kept_too(lake: LocalLake) -> None:
    file = Path(lake.uri(FACT))
    file.parent.mkdir(parents=True)
    pq.write_table(rows_of("theirs").read_all(), file)
    publish(lake, "r1")
    assert [version.run_id for version in lake.versions(FACT)] == ["r1", "unknown"]
    assert lake.previous(FACT).run_id == "unknown"
