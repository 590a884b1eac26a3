"""Behaviour that only a lake on S3 has, with a real S3 server and injected faults."""

import hashlib
import os
from collections.abc import Iterator

import boto3
import pyarrow as pa
import pytest

from starschema_assets.lake.errors import LakeDenied, LakeError, NoEarlierVersion
from starschema_assets.lake.lake import Lake, StagedTable, open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import PLAIN
from starschema_assets_tests.lake.tables import (
    DIMENSION,
    FACT,
    LOG,
    publish,
    publish_staged,
    rows_of,
    runs_in,
    stage,
)
from starschema_assets_tests.s3_faults import FaultyS3, faulty_s3
from starschema_assets_tests.seaweedfs import READER, SeaweedFS


@pytest.fixture
def lake(s3_settings: Settings) -> Iterator[Lake]:
    lake = open_lake(s3_settings)
    yield lake
    lake.close()


@pytest.fixture
def faults(s3: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """The S3 server behind a proxy that makes selected requests fail."""
    with faulty_s3(s3.url) as faults:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faults.url)
        yield faults


@pytest.fixture
def plain_settings(s3_settings: Settings) -> Settings:
    """A lake in a bucket without versioning."""
    prefix = s3_settings.lake_uri.rsplit("/", 1)[1]
    return s3_settings.model_copy(update={"lake_uri": f"s3://{PLAIN}/{prefix}"})


def staged_large(lake: Lake) -> StagedTable:
    """Stage a table that is uploaded in several parts. Its random bytes don't compress."""
    rows = pa.table({"bytes": [os.urandom(2**20) for _ in range(30)]})
    return lake.stage(FACT, rows.to_reader(), "large")


def test_a_table_of_many_parts_arrives_as_it_was_staged(lake: Lake, s3_settings: Settings) -> None:
    with lake.lock("large", LOG):
        staged = staged_large(lake)
        content = hashlib.sha256(staged.path.read_bytes()).hexdigest()
        (published,) = publish_staged([staged])
    other = open_lake(s3_settings)
    assert hashlib.sha256(other.fetch(FACT).read_bytes()).hexdigest() == content
    bucket, _, key = published.uri.removeprefix("s3://").partition("/")
    head = boto3.client("s3").head_object(Bucket=bucket, Key=key)
    assert head["ETag"].endswith('-4"')
    assert head["ContentLength"] == published.bytes > 30 * 2**20
    assert staged.metadata.items() <= head["Metadata"].items()
    other.close()


def test_what_was_published_here_is_not_downloaded_again(
    faults: FaultyS3, s3_settings: Settings
) -> None:
    lake = open_lake(s3_settings)
    with lake.lock("large", LOG):
        publish_staged([staged_large(lake)])
    # The only request checks whether that is still the published version.
    asked: list[str] = []

    def note(method: str, path: str) -> bool:
        asked.append(f"{method} {path}")
        return False

    faults.deny, faults.times = note, 1
    assert lake.fetch(FACT).stat().st_size > 30 * 2**20
    assert len(asked) == 1
    lake.close()


def test_a_large_version_is_restored_on_the_server(lake: Lake, s3_settings: Settings) -> None:
    with lake.lock("large", LOG):
        staged = staged_large(lake)
        content = hashlib.sha256(staged.path.read_bytes()).hexdigest()
        publish_staged([staged])
    publish(lake, "bad")
    with lake.lock("restore", LOG):
        lake.restore(FACT, lake.previous(FACT))
    other = open_lake(s3_settings)
    assert hashlib.sha256(other.fetch(FACT).read_bytes()).hexdigest() == content
    assert next(lake.versions(FACT)).run_id == "large"
    other.close()


def test_the_whole_bucket_can_be_a_lake(s3_settings: Settings) -> None:
    lake = open_lake(s3_settings.model_copy(update={"lake_uri": f"s3://{PLAIN}"}))
    publish(lake, "r1")
    assert lake.uri(FACT) == f"s3://{PLAIN}/star/fact_orders/fact_orders.parquet"
    assert FACT in lake.tables("star")
    lake.close()


def test_a_bucket_without_versions_says_why_nothing_can_be_restored(
    plain_settings: Settings,
) -> None:
    lake = open_lake(plain_settings)
    publish(lake, "r1")
    publish(lake, "r2")
    with pytest.raises(NoEarlierVersion, match=r"star/fact_orders: bucket 'plain'.*versioning"):
        lake.previous(FACT)
    lake.close()


def test_a_table_that_is_replaced_while_it_is_downloaded_is_read_whole(
    faults: FaultyS3, s3: SeaweedFS, plain_settings: Settings
) -> None:
    """Without versioning, a download could mix parts of two versions."""
    lake, reader = open_lake(plain_settings), open_lake(plain_settings)
    with lake.lock("large", LOG):
        other = staged_large(lake).path.read_bytes()
        (published,) = publish_staged([staged_large(lake)])
    bucket, _, key = published.uri.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=s3.url)
    gets: list[str] = []

    def replace_at_the_third_get(method: str, path: str) -> bool:
        if method == "GET" and ".parquet" in path:
            gets.append(path)
            if len(gets) == 3:
                client.put_object(Bucket=bucket, Key=key, Body=other)
        return False

    faults.slow_down, faults.times = replace_at_the_third_get, 1
    assert reader.fetch(FACT).read_bytes() == other
    assert len(gets) > 5
    reader.close()
    lake.close()


def test_a_burst_of_slow_down_is_outlived(faults: FaultyS3, s3_settings: Settings) -> None:
    lake = open_lake(s3_settings)
    faults.slow_down, faults.times = lambda _, path: ".parquet" in path, 4
    publish(lake, "r1", FACT, DIMENSION)
    assert faults.failed == 4
    assert runs_in(lake.fetch(FACT)) == ["r1"]
    lake.close()


@pytest.mark.parametrize(
    ("method", "part", "count"),
    [
        pytest.param("PUT", "_lock", 1, id="taking the lock"),
        pytest.param("PUT", "_lock", 2, id="verifying it"),
        pytest.param("PUT", "_lock", 3, id="releasing it"),
        pytest.param("POST", "uploads", 1, id="beginning an upload"),
        pytest.param("PUT", "partNumber=", 1, id="uploading a part"),
        pytest.param("POST", "uploadId=", 1, id="publishing"),
    ],
)
def test_an_answer_that_is_lost_is_no_lost_race(
    faults: FaultyS3, s3_settings: Settings, method: str, part: str, count: int
) -> None:
    """The client repeats a request that had succeeded, so its condition is no longer true."""
    lake = open_lake(s3_settings.model_copy(update={"lock_wait": 0}))
    publish(lake, "r0")
    requests: list[str] = []

    def is_the_one(verb: str, path: str) -> bool:
        if verb == method and part in path:
            requests.append(path)
        return len(requests) == count

    faults.lose_answer, faults.times = is_the_one, 1
    publish(lake, "r1")
    assert faults.failed == 1
    publish(lake, "r2")
    assert runs_in(lake.fetch(FACT)) == ["r2"]
    lake.close()


def is_completion(method: str, path: str) -> bool:
    return method == "POST" and "uploadId=" in path


def test_an_upload_that_met_another_request_is_begun_anew(
    faults: FaultyS3, s3_settings: Settings
) -> None:
    """After a 409 ConditionalRequestConflict, S3 requires a new upload."""
    lake = open_lake(s3_settings)
    publish(lake, "r1")
    faults.conflict, faults.times = is_completion, 1
    publish(lake, "r2")
    assert faults.failed == 1
    assert runs_in(lake.fetch(FACT)) == ["r2"]
    faults.conflict, faults.times = is_completion, 1
    with lake.lock("restore", LOG):
        lake.restore(FACT, lake.previous(FACT))
    assert faults.failed == 2
    assert runs_in(lake.fetch(FACT)) == ["r1"]
    bucket, prefix = s3_settings.lake_uri.removeprefix("s3://").split("/", 1)
    assert "Uploads" not in boto3.client("s3").list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    lake.close()


def test_uploads_that_always_meet_another_request_end_and_leave_what_is_published(
    faults: FaultyS3, s3_settings: Settings
) -> None:
    lake = open_lake(s3_settings)
    publish(lake, "r1")
    faults.conflict, faults.times = is_completion, 100
    with pytest.raises(
        LakeError, match=r"star/fact_orders was not published.*Find the other writer"
    ):
        publish(lake, "r2")
    assert runs_in(lake.fetch(FACT)) == ["r1"]
    lake.close()


def test_an_object_that_somebody_replaced_meanwhile_is_not_written_over(
    faults: FaultyS3, s3: SeaweedFS, s3_settings: Settings
) -> None:
    lake = open_lake(s3_settings)
    publish(lake, "r1")
    bucket, _, key = lake.uri(FACT).removeprefix("s3://").partition("/")
    theirs = boto3.client("s3", endpoint_url=s3.url)

    def replaced(method: str, path: str) -> bool:
        if is_completion(method, path):
            theirs.put_object(Bucket=bucket, Key=key, Body=b"theirs")
        return is_completion(method, path)

    faults.conflict, faults.times = replaced, 1
    with pytest.raises(LakeError, match="another run published"):
        publish(lake, "r2")
    assert theirs.get_object(Bucket=bucket, Key=key)["Body"].read() == b"theirs"
    lake.close()


def test_a_small_version_is_copied_whole_and_not_by_a_range(
    faults: FaultyS3, s3_settings: Settings
) -> None:
    """S3 rejects a copy range for an object below 5 MB."""
    lake = open_lake(s3_settings)
    publish(lake, "r1")
    publish(lake, "r2")
    with lake.lock("restore", LOG):
        lake.restore(FACT, lake.previous(FACT))
    copies = [headers for _, _, headers in faults.asked if "x-amz-copy-source" in headers]
    assert ["x-amz-copy-source-range" in headers for headers in copies] == [False]
    lake.close()


def test_parts_have_checksums_where_they_are_sent_only_when_required(
    faults: FaultyS3, s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 doesn't complete an upload with checksums if parts have none."""
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    lake = open_lake(s3_settings)
    publish(lake, "r1")
    parts = [headers for _, path, headers in faults.asked if "partNumber=" in path]
    assert ["x-amz-checksum-crc32" in headers for headers in parts] == [True]
    lake.close()


def test_an_upload_that_fails_leaves_nothing(faults: FaultyS3, s3_settings: Settings) -> None:
    lake = open_lake(s3_settings)
    faults.deny, faults.times = lambda _, path: "partNumber=2" in path, 1
    with (
        pytest.raises(LakeDenied, match="star/fact_orders: uploading"),
        lake.lock("large", LOG),
    ):
        lake.upload(staged_large(lake))
    bucket, prefix = s3_settings.lake_uri.removeprefix("s3://").split("/", 1)
    left = boto3.client("s3").list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    assert "Uploads" not in left
    lake.close()


@pytest.mark.parametrize(
    ("method", "part", "said"),
    [
        ("PUT", "_lock", r"Taking the lake's lock: .*/_lock .* allow s3:PutObject"),
        ("POST", "uploads", r"star/fact_orders: uploading: .*fact_orders.parquet .* s3:PutObject"),
        ("POST", "uploadId=", r"star/fact_orders: publishing: .* allow s3:PutObject"),
        ("GET", "uploads", r"Deleting .* allow s3:ListBucketMultipartUploads"),
    ],
)
def test_a_refusal_names_the_object_and_the_action_to_allow(
    faults: FaultyS3, s3_settings: Settings, method: str, part: str, said: str
) -> None:
    lake = open_lake(s3_settings)
    faults.deny, faults.times = lambda verb, path: verb == method and part in path, 1
    with pytest.raises(LakeDenied, match=said) as refusal:
        publish(lake, "r1")
    assert s3_settings.lake_uri in str(refusal.value)
    assert "\n" not in str(refusal.value)
    lake.close()


def test_credentials_that_may_only_read_are_told_what_they_lack(
    lake: Lake, s3: SeaweedFS, s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, "r1")
    for name, value in s3.environment(READER).items():
        monkeypatch.setenv(name, value)
    reader = open_lake(s3_settings)
    assert runs_in(reader.fetch(FACT)) == ["r1"]
    with pytest.raises(LakeDenied, match="allow s3:PutObject"):
        publish(reader, "r2")
    reader.close()


def test_a_missing_bucket_is_named(s3: SeaweedFS, s3_settings: Settings) -> None:
    assert s3.process
    lake = open_lake(s3_settings.model_copy(update={"lake_uri": "s3://nowhere/lake"}))
    for ask in (lake.fetch, lake.footer):
        with pytest.raises(LakeError, match=r"no bucket 'nowhere'.*STARSCHEMA_LAKE_URI"):
            ask(FACT)
    lake.close()


def test_a_server_that_is_not_there_is_named(
    s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    lake = open_lake(s3_settings)
    with (
        pytest.raises(LakeError, match=r"Taking the lake's lock: s3://.* can't be reached"),
        lake.lock("r1", LOG),
    ):
        pytest.fail("it was locked")
    lake.close()


def test_a_lock_survives_a_burst_of_slow_down(faults: FaultyS3, s3_settings: Settings) -> None:
    lake = open_lake(s3_settings)
    with lake.lock("r1", LOG):
        staged = stage(lake, "r1")
        lake.upload(staged)
        faults.slow_down, faults.times = lambda _, path: "_lock" in path, 2
        lake.publish(staged)
        assert faults.failed == 2
    lake.close()


def test_rows_of_another_lake_are_left_alone(lake: Lake, s3_settings: Settings) -> None:
    """Uploads to keys that aren't tables belong to others and aren't aborted."""
    bucket, prefix = s3_settings.lake_uri.removeprefix("s3://").split("/", 1)
    client = boto3.client("s3")
    theirs = client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}/reports/sales.html")
    publish(lake, "r1")
    left = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix)["Uploads"]
    assert [upload["UploadId"] for upload in left] == [theirs["UploadId"]]
    assert rows_of("r1").read_all().num_rows == lake.footer(FACT).rows
