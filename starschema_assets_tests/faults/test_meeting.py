"""Two refreshes of one lake at the same time, in separate processes."""

import os
import signal
from pathlib import Path

import pytest
from dagster import DagsterRunStatus
from pyarrow import parquet as pq

from starschema_assets.lake import s3_lease
from starschema_assets_tests.faults.deployment import FILES, Deployment
from starschema_assets_tests.faults.points import Point
from starschema_assets_tests.faults.processes import refreshing
from starschema_assets_tests.faults.reader import reading
from starschema_assets_tests.pipeline import RAW, STAR

HALFWAY: Point = ("before publishing", RAW[4])


def runs_in_files(deployment: Deployment, tables: list[tuple[str, str]]) -> set[bytes]:
    """Return the runs that wrote the published files, according to their metadata."""
    files = [deployment.lake.fetch(table) for table in tables]
    return {(pq.read_metadata(file).metadata or {})[b"starschema.run_id"] for file in files}


def test_the_second_of_two_refreshes_waits_and_both_succeed(
    deployment: Deployment, tmp_path: Path
) -> None:
    before = deployment.published()
    with (
        reading(deployment.objects),
        refreshing(deployment, tmp_path / "first", HALFWAY) as first,
    ):
        first.await_point()
        holder = deployment.last_run().run_id
        with refreshing(deployment, tmp_path / "second") as second:
            second.await_that(lambda: f"is held by run {holder}, since" in second.log())
            assert deployment.replaced_since(before) == FILES[:4]
            first.go_on()
            assert first.end() == 0
            assert second.end() == 0
    assert len(runs_in_files(deployment, RAW)) == 1
    assert len(runs_in_files(deployment, STAR)) == 1
    assert deployment.objects.in_the_way() == set()
    assert deployment.check("star/fact_orders:one_snapshot").passed
    runs = deployment.instance.get_runs(limit=2)
    assert [run.status for run in runs] == [DagsterRunStatus.SUCCESS] * 2


def test_a_refresh_that_waited_long_enough_fails_and_names_the_holder(
    deployment: Deployment, tmp_path: Path
) -> None:
    impatient = Deployment(
        deployment.settings.model_copy(update={"lock_wait": 0}),
        deployment.instance,
        deployment.objects,
    )
    with refreshing(deployment, tmp_path / "first", HALFWAY) as first:
        first.await_point()
        holder = deployment.last_run().run_id
        before = deployment.published()
        run = impatient.refresh()
        assert not run.success
        said = deployment.error(run.run_id)
        assert "LakeBusy: " in said
        assert f"is still held after 0 s by run {holder}, since" in said
        assert deployment.retries(run.run_id) == 0
        assert deployment.published() == before
        first.go_on()
        assert first.end() == 0


def test_an_audit_does_not_judge_a_star_that_is_half_published(
    deployment: Deployment, tmp_path: Path
) -> None:
    impatient = Deployment(
        deployment.settings.model_copy(update={"lock_wait": 0}),
        deployment.instance,
        deployment.objects,
    )
    with refreshing(deployment, tmp_path / "first", ("before publishing", STAR[-1])) as first:
        first.await_point()
        holder = deployment.last_run().run_id
        failed = {step.step_key: step for step in impatient.audit().get_step_failure_events()}
        error = failed["star_tables"].step_failure_data.error
        assert error
        assert f"is still held after 0 s by run {holder}" in error.to_string()
        first.go_on()
        assert first.end() == 0
    failed = {step.step_key: step for step in impatient.audit().get_step_failure_events()}
    assert "star_tables" not in failed


@pytest.mark.parametrize(
    ("point", "error"),
    [
        pytest.param(HALFWAY, "LeaseLost", id="before it looks"),
        pytest.param(("once verified", RAW[4]), "LakeError", id="after it looked"),
    ],
)
def test_a_refresh_that_lost_its_lock_while_it_slept_publishes_nothing_more(
    on_s3: Deployment,
    tmp_path: Path,
    point: Point,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = on_s3.published()
    with (
        reading(on_s3.objects),
        refreshing(
            on_s3, tmp_path / "zombie", point, signal.SIGSTOP, scratch=tmp_path / "elsewhere"
        ) as zombie,
    ):
        zombie.await_point()
        run_id = on_s3.last_run().run_id
        assert on_s3.replaced_since(before) == FILES[:4]
        monkeypatch.setattr(s3_lease, "TTL", 2)
        on_s3.assert_refreshes_as_if_nothing_had_happened()
        after = on_s3.published()
        os.kill(zombie.process.pid or 0, signal.SIGCONT)
        assert zombie.end() == 1
        assert on_s3.published() == after
    said = on_s3.error(run_id)
    assert f".{error}: " in said
    assert "start this run again" in said
    assert on_s3.objects.in_the_way() == set()
