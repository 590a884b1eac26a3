"""If S3 denies access, is overloaded or is down, tables stay complete and errors are clear."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.retries.standard import ExponentialBackoff
from dagster import DagsterInstance

from starschema_assets.aws import ATTEMPTS
from starschema_assets.lake import s3_lease
from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import VERSIONED
from starschema_assets_tests.faults.conftest import deploy
from starschema_assets_tests.faults.deployment import FILES, Base, Deployment
from starschema_assets_tests.faults.reader import reading
from starschema_assets_tests.pipeline import RAW
from starschema_assets_tests.s3_faults import FaultyS3, faulty_s3
from starschema_assets_tests.seaweedfs import READER, SeaweedFS, seaweedfs

FOR_EVER = 1_000_000


@pytest.fixture
def faults(s3: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """The server behind a proxy that makes requests fail. The pipeline uses only the proxy."""
    with faulty_s3(s3.url) as faults:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faults.url)
        yield faults


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the number of attempts, but shorten the delays between them and the lease."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    monkeypatch.setattr(s3_lease, "TTL", 2)


def test_slow_down_for_a_while_is_outlived(on_s3: Deployment, faults: FaultyS3) -> None:
    """The server rejects each request once before it serves it."""
    asked: Counter[str] = Counter()

    def is_early(method: str, path: str) -> bool:
        asked[f"{method} {path}"] += 1
        return asked[f"{method} {path}"] % 2 > 0

    faults.slow_down, faults.times = is_early, FOR_EVER
    with reading(on_s3.objects):
        on_s3.assert_refreshes_as_if_nothing_had_happened()
    assert faults.failed > 4 * len(FILES)


def test_slow_down_for_ever_fails_the_run_after_some_attempts(
    on_s3: Deployment, faults: FaultyS3
) -> None:
    before = on_s3.published()
    faults.slow_down, faults.times = lambda _, path: "partNumber=" in path, FOR_EVER
    with reading(on_s3.objects):
        run = on_s3.refresh(("raw", "offices"), ("raw", "orders"))
        assert not run.success
        assert faults.failed == ATTEMPTS
        said = on_s3.error(run.run_id)
        assert "LakeError: " in said
        assert "raw/offices: uploading" in said
        assert "offices.parquet returned SlowDown" in said
        assert on_s3.published() == before
        assert on_s3.objects.in_the_way() == set()
        faults.times = 0
        on_s3.assert_refreshes_as_if_nothing_had_happened()


def test_a_refusal_in_the_middle_of_publishing_leaves_every_table_whole(
    on_s3: Deployment, faults: FaultyS3
) -> None:
    before = on_s3.published()
    faults.deny = lambda method, path: method == "POST" and "orders.parquet?uploadId=" in path
    faults.times = FOR_EVER
    with reading(on_s3.objects):
        run = on_s3.refresh()
        assert not run.success
        assert faults.failed == 1
        said = on_s3.error(run.run_id)
        assert "LakeDenied: " in said
        assert f"raw/orders: publishing: {on_s3.settings.lake_uri}/raw/orders/orders.pa" in said
        assert "returned AccessDenied: allow s3:PutObject to these credentials" in said
        assert on_s3.replaced_since(before) == FILES[: RAW.index(("raw", "orders"))]
        assert on_s3.objects.in_the_way() == set()
        faults.times = 0
        on_s3.assert_refreshes_as_if_nothing_had_happened()


def test_credentials_that_may_not_write_fail_the_run_at_once(
    on_s3: Deployment, s3: SeaweedFS, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = on_s3.published()
    for name, value in s3.environment(READER).items():
        monkeypatch.setenv(name, value)
    run = on_s3.refresh()
    assert not run.success
    assert on_s3.retries(run.run_id) == 0
    said = on_s3.error(run.run_id)
    assert "LakeDenied: " in said
    assert f"{on_s3.settings.lake_uri}/_lock returned AccessDenied: allow s3:PutObject" in said
    assert on_s3.published() == before


@pytest.fixture
def doomed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SeaweedFS]:
    """A separate server, which the test may kill."""
    folder = tmp_path / "seaweedfs"
    folder.mkdir()
    with seaweedfs(folder) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_server_killed_in_mid_upload_takes_no_table_with_it(
    base: Base,
    settings: Settings,
    instance: DagsterInstance,
    doomed: SeaweedFS,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = settings.model_copy(update={"lake_uri": f"s3://{VERSIONED}/lake"})
    deployment = deploy(base, lake, instance, doomed.url)
    before = deployment.published()

    def kill(_: str, path: str) -> bool:
        if "orders.parquet?" in path and "partNumber=" in path:
            doomed.stop()
        return False

    with faulty_s3(doomed.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        proxy.slow_down, proxy.times = kill, FOR_EVER
        run = deployment.refresh()
        assert not run.success
        assert doomed.process is None
        said = deployment.error(run.run_id)
        assert "LakeError: " in said
        assert "raw/orders: uploading" in said
        assert "can't be reached" in said
        proxy.slow_down = None
        doomed.start()
        with reading(deployment.objects):
            assert deployment.published() == before
            deployment.assert_refreshes_as_if_nothing_had_happened()
