"""The lake's lock: only one writer holds it, it expires, and no run publishes without it."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import pytest

from starschema_assets.lake import s3_lease
from starschema_assets.lake.errors import LakeBusy, LakeError, LeaseLost
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.lake import dying
from starschema_assets_tests.lake.tables import FACT, LOG, publish, publish_staged, runs_in, stage


@contextmanager
def run_killed_at(point: str, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds the lock and waits at a point. Kill it at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", dying.__name__, settings.lake_uri, str(settings.scratch), point],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == f"{point}\n"
            yield process
        finally:
            process.kill()


def take_over_by_force(settings: Settings) -> None:
    """Take the lock like another run that considers the holder dead."""
    if settings.lake_uri.startswith("s3://"):
        bucket, prefix = settings.lake_uri.removeprefix("s3://").split("/", 1)
        claim = json.dumps({"holder": "thief", "since": "now", "token": "thief"})
        boto3.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/_lock", Body=claim.encode())
    else:
        lock = Path(settings.lake_uri) / "_lock"
        lock.unlink()
        lock.touch()


def leftovers(settings: Settings) -> list[str]:
    """Return files in lake and scratch folder other than published tables, history and lock."""
    if settings.lake_uri.startswith("s3://"):
        bucket, prefix = settings.lake_uri.removeprefix("s3://").split("/", 1)
        client = boto3.client("s3")
        found = client.list_multipart_uploads(Bucket=bucket, Prefix=f"{prefix}/").get("Uploads", [])
        keys = client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        files = [upload["Key"] for upload in found]
        files += [key["Key"] for key in keys if not key["Key"].endswith((".parquet", "/_lock"))]
    else:
        files = [str(path) for path in Path(settings.lake_uri, "_staging").iterdir()]
    return files + [str(path) for path in settings.scratch.glob("*") if path.exists()]


def test_two_writers_take_turns(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lakes = [open_lake(settings), open_lake(settings)]
    order: list[str] = []
    entered = threading.Event()
    may_leave = threading.Event()

    def first() -> None:
        with lakes[0].lock("run one", LOG):
            order.append("one in")
            entered.set()
            may_leave.wait()
            order.append("one out")

    def second() -> None:
        entered.wait()
        with lakes[1].lock("run two", LOG):
            order.append("two in")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    entered.wait()
    while "is held by run one" not in caplog.text:
        threads[1].join(0.05)
        assert threads[1].is_alive()
    may_leave.set()
    for thread in threads:
        thread.join()
    assert order == ["one in", "one out", "two in"]


def test_a_writer_that_waited_long_enough_is_told_by_whom_the_lake_is_held(
    lake: Lake, settings: Settings
) -> None:
    impatient = open_lake(settings.model_copy(update={"lock_wait": 0}))
    with (
        lake.lock("run one", LOG),
        pytest.raises(LakeBusy, match=r"run one, since \d.*STARSCHEMA_LOCK_WAIT"),
        impatient.lock("run two", LOG),
    ):
        pytest.fail("two runs hold the lake")
    publish(impatient, "run two")


def test_a_lock_is_released_by_a_run_that_fails(lake: Lake, settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), lake.lock("run one", LOG):
        raise ZeroDivisionError
    publish(open_lake(settings.model_copy(update={"lock_wait": 0})), "run two")


def test_a_run_that_lost_the_lock_publishes_nothing(lake: Lake, settings: Settings) -> None:
    publish(lake, "r1")
    with lake.lock("r2", LOG):
        staged = stage(lake, "r2")
        lake.upload(staged)
        take_over_by_force(settings)
        with pytest.raises(LeaseLost, match=r"_lock was .* start this run again"):
            lake.publish(staged)
    assert runs_in(lake.fetch(FACT)) == ["r1"]


def test_a_run_that_lost_the_lock_restores_nothing(lake: Lake, settings: Settings) -> None:
    publish(lake, "r1")
    publish(lake, "r2")
    with lake.lock("restore", LOG):
        earlier = lake.previous(FACT)
        take_over_by_force(settings)
        with pytest.raises(LeaseLost):
            lake.restore(FACT, earlier)
    assert runs_in(lake.fetch(FACT)) == ["r2"]


@pytest.mark.parametrize("point", ["locked", "staging", "uploaded"])
def test_a_killed_run_leaves_the_old_table_and_the_next_one_cleans_up(
    lake: Lake, settings: Settings, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, "r1")
    lake.close()
    with run_killed_at(point, settings):
        pass
    assert runs_in(lake.fetch(FACT)) == ["r1"]
    assert lake.tables("star") == [FACT]
    monkeypatch.setattr(s3_lease, "TTL", 2)
    publish(lake, "r2")
    assert runs_in(lake.fetch(FACT)) == ["r2"]
    lake.close()
    assert leftovers(settings) == []


def test_a_lock_is_kept_for_longer_than_it_outlives_its_last_renewal(
    s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_lease, "TTL", 2)
    monkeypatch.setattr(s3_lease, "RENEWAL", 0.2)
    patient = open_lake(s3_settings.model_copy(update={"lock_wait": 4}))
    lake = open_lake(s3_settings)
    with lake.lock("run one", LOG):
        with pytest.raises(LakeBusy, match="run one"), patient.lock("run two", LOG):
            pytest.fail("two runs hold the lake")
        publish_staged([stage(lake, "run one")])


def test_a_zombies_upload_is_gone_once_another_run_holds_the_lake(
    s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fencing: even if the old run could verify its lease, its upload no longer exists."""
    zombie, successor = open_lake(s3_settings), open_lake(s3_settings)
    with ExitStack() as stack:
        stack.enter_context(zombie.lock("zombie", LOG))
        staged = stage(zombie, "zombie")
        zombie.upload(staged)
        take_over_by_force(s3_settings)
        monkeypatch.setattr(s3_lease, "TTL", -1)  # the thief's claim has expired
        publish(successor, "successor")
        monkeypatch.setattr(s3_lease.S3Lease, "verify", lambda _: None)
        with pytest.raises(
            LakeError, match=r"star/fact_orders was not published .* start this run again"
        ):
            zombie.publish(staged)
    assert runs_in(zombie.fetch(FACT)) == ["successor"]


def test_an_upload_does_not_replace_a_version_that_it_was_not_begun_upon(
    s3_settings: Settings,
) -> None:
    """Fencing by the object's ETag alone, without lock and without deletion of uploads."""
    slow, quick = open_lake(s3_settings), open_lake(s3_settings)
    with ExitStack() as stack:
        stack.enter_context(slow.lock("slow", LOG))
        staged = stage(slow, "slow")
        slow.upload(staged)
        bucket, prefix = s3_settings.lake_uri.removeprefix("s3://").split("/", 1)
        key = f"{prefix}/star/fact_orders/fact_orders.parquet"
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=staged.path.read_bytes()[::-1])
        with pytest.raises(LakeError, match="star/fact_orders was not published"):
            slow.publish(staged)
    quick.close()
    with slow.lock("slow", LOG):
        publish_staged([stage(slow, "slow")])
    assert runs_in(slow.fetch(FACT)) == ["slow"]
