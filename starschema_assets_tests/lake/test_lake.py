"""Staging, publication and versions, for lakes in a directory and on a real S3 server."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from starschema_assets.lake.errors import LakeError, NoEarlierVersion, NotPublished
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.settings import Settings
from starschema_assets.types import ColumnRefused
from starschema_assets_tests.lake.tables import (
    DIMENSION,
    FACT,
    LOG,
    ROWS,
    publish,
    publish_staged,
    rows_of,
    runs_in,
    stage,
)


def test_a_table_is_one_file_in_a_folder_of_its_own(lake: Lake, settings: Settings) -> None:
    assert lake.uri(FACT) == f"{settings.lake_uri}/star/fact_orders/fact_orders.parquet"


@pytest.mark.parametrize("table", [("x",), ("_lock", "x"), ("star", ".."), ("star", "a/b")])
def test_a_table_cannot_hide_among_the_lakes_own_files(lake: Lake, table: tuple[str, ...]) -> None:
    with pytest.raises(LakeError, match="is not a valid table name"):
        lake.uri(table)


def test_what_was_published_is_fetched_whole(lake: Lake) -> None:
    (published,) = publish(lake, "r1")
    path = lake.fetch(FACT)
    assert runs_in(path) == ["r1"]
    assert published.bytes == path.stat().st_size
    assert published.uri == lake.uri(FACT)


def test_another_process_fetches_what_was_published(lake: Lake, settings: Settings) -> None:
    publish(lake, "r1")
    other = open_lake(settings)
    assert runs_in(other.fetch(FACT)) == ["r1"]
    publish(lake, "r2")
    assert runs_in(other.fetch(FACT)) == ["r2"]
    other.close()


def test_earlier_versions_are_fetched_and_tell_of_themselves(lake: Lake) -> None:
    for run in ("r1", "r2", "r3"):
        publish(lake, run)
    versions = list(lake.versions(FACT))
    for version, run in zip(versions, ("r3", "r2", "r1"), strict=True):
        assert runs_in(lake.fetch(FACT, version)) == [run]
        assert lake.footer(FACT, version).metadata["run_id"] == run


def test_the_footer_says_which_run_wrote_the_published_table(lake: Lake) -> None:
    publish(lake, "r1")
    footer = lake.footer(FACT)
    assert footer.rows == ROWS
    assert footer.metadata["run_id"] == "r1"
    assert footer.metadata["snapshot"] == "s-r1"
    assert footer.schema == rows_of("r1").schema


def test_a_long_footer_is_read_whole(lake: Lake) -> None:
    with lake.lock("r1", LOG):
        staged = lake.stage(FACT, rows_of("r1"), "r1", metadata={"long": "x" * 300_000})
        publish_staged([staged])
    assert lake.footer(FACT).metadata == staged.metadata
    assert len(staged.metadata["long"]) == 300_000


def test_a_table_that_was_never_published_is_named(lake: Lake) -> None:
    for read in (lake.fetch, lake.footer):
        with pytest.raises(NotPublished, match=r"star/fact_orders .* materialize it first"):
            read(FACT)


def test_nothing_is_seen_of_a_version_before_it_is_published(lake: Lake) -> None:
    publish(lake, "r1")
    with lake.lock("r2", LOG):
        staged = [stage(lake, "r2"), stage(lake, "r2", DIMENSION)]
        assert runs_in(staged[0].path) == ["r2"]
        assert staged[0].rows == ROWS
        for each in staged:
            lake.upload(each)
        assert runs_in(lake.fetch(FACT)) == ["r1"]
        assert lake.tables("star") == [FACT]
        assert [version.run_id for version in lake.versions(FACT)] == ["r1"]
        for each in staged:
            lake.publish(each)
    assert runs_in(lake.fetch(FACT)) == ["r2"]
    assert lake.tables("star") == [DIMENSION, FACT]


def test_what_was_not_published_is_gone_when_the_lock_is_released(lake: Lake) -> None:
    with lake.lock("r1", LOG):
        staged = stage(lake, "r1")
        lake.upload(staged)
        never_uploaded = stage(lake, "r1", DIMENSION)
    assert not staged.path.exists()
    assert not never_uploaded.path.exists()
    with pytest.raises(NotPublished):
        lake.fetch(FACT)


def test_a_reader_sees_the_old_table_or_the_new_one_at_any_moment(
    lake: Lake, settings: Settings
) -> None:
    publish(lake, "r0")
    seen: list[str] = []
    ended = threading.Event()

    def read() -> None:
        reader = open_lake(settings)
        while not ended.is_set():
            (run,) = runs_in(reader.fetch(FACT))
            seen.append(run)
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    for run in range(1, 16):
        publish(lake, f"r{run}")
    time.sleep(0.2)
    ended.set()
    thread.join()
    numbers = [int(run[1:]) for run in seen]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 15
    assert len(set(numbers)) > 2


def test_a_reader_that_fails_leaves_no_file_and_says_which_table(lake: Lake) -> None:
    def read() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": [1]})
        raise RuntimeError("the server has gone away")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), read())
    with lake.lock("r1", LOG):
        with pytest.raises(RuntimeError, match="gone away") as failure:
            lake.stage(FACT, reader, "r1")
        assert failure.value.__notes__ == ["while staging star/fact_orders"]
        staged = stage(lake, "r1", DIMENSION)
        assert not list(staged.path.parent.parent.glob("fact_orders/*"))


def test_a_refused_column_is_named_with_its_table(lake: Lake) -> None:
    reader = pa.table({"empty": pa.nulls(3)}).to_reader()
    with (
        lake.lock("r1", LOG),
        pytest.raises(ColumnRefused, match=r"star/fact_orders: column 'empty'.*cast it to a type"),
    ):
        lake.stage(FACT, reader, "r1")


def test_nothing_is_staged_without_the_lock(lake: Lake) -> None:
    with pytest.raises(LakeError, match=r"star/fact_orders .* while the lake's lock is held"):
        stage(lake, "r1")


def test_versions_are_listed_from_the_last_published(lake: Lake) -> None:
    sizes = [published.bytes for run in ("r1", "r2", "r3") for published in publish(lake, run)]
    versions = list(lake.versions(FACT))
    assert [version.run_id for version in versions] == ["r3", "r2", "r1"]
    assert [version.is_current for version in versions] == [True, False, False]
    assert [version.bytes for version in versions] == sizes[::-1]
    assert versions[0].written_at > versions[1].written_at


def test_restoring_publishes_the_previous_version_as_it_was(lake: Lake, settings: Settings) -> None:
    publish(lake, "r1")
    old = lake.fetch(FACT).read_bytes()
    publish(lake, "r2")
    with lake.lock("restore", LOG):
        restored = lake.restore(FACT, lake.previous(FACT))
    other = open_lake(settings)
    assert other.fetch(FACT).read_bytes() == old
    assert restored.bytes == len(old)
    assert next(lake.versions(FACT)).run_id == "r1"
    other.close()


def test_restoring_twice_goes_back_twice(lake: Lake) -> None:
    for run in ("r1", "r2", "r3"):
        publish(lake, run)
    for expected in ("r2", "r1"):
        with lake.lock("restore", LOG):
            lake.restore(FACT, lake.previous(FACT))
        assert runs_in(lake.fetch(FACT)) == [expected]
    with pytest.raises(NoEarlierVersion, match="star/fact_orders has no earlier version"):
        lake.previous(FACT)


def test_a_version_that_was_undone_is_not_gone_back_to(lake: Lake) -> None:
    publish(lake, "good")
    publish(lake, "bad")
    with lake.lock("restore", LOG):
        lake.restore(FACT, lake.previous(FACT))
    publish(lake, "bad again")
    assert lake.previous(FACT).run_id == "good"


def test_a_table_with_one_version_cannot_be_restored(lake: Lake) -> None:
    publish(lake, "r1")
    with pytest.raises(NoEarlierVersion, match="star/fact_orders"):
        lake.previous(FACT)


def test_what_was_fetched_is_removed_when_the_lake_is_closed(
    settings: Settings, lake: Lake
) -> None:
    publish(lake, "r1")
    other = open_lake(settings)
    other.fetch(FACT)
    other.close()
    lake.close()
    scratch: Path = settings.scratch
    assert not scratch.exists() or not list(scratch.iterdir())
