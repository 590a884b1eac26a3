"""If the process of a refresh is killed, published tables stay complete and the next run succeeds.

Without a daemon, a killed run keeps its status STARTED in Dagster: see test_ended.py.
"""

import signal
from pathlib import Path

import pytest
from dagster import AssetCheckSeverity, DagsterRunStatus

from starschema_assets.lake import s3_lease
from starschema_assets.lake.lake import Table
from starschema_assets_tests.faults.deployment import FILES, TABLES, Deployment
from starschema_assets_tests.faults.points import Point
from starschema_assets_tests.faults.processes import refreshing
from starschema_assets_tests.faults.reader import reading
from starschema_assets_tests.pipeline import RAW, STAR

LEASE_SECONDS = 2


@pytest.fixture(autouse=True)
def _short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the lease, so that a run doesn't wait half a minute after a killed one."""
    monkeypatch.setattr(s3_lease, "TTL", LEASE_SECONDS)


def kill_at(deployment: Deployment, point: Point, folder: Path) -> str:
    """Kill a refresh at a point, and return the run's id."""
    with refreshing(deployment, folder, point, signal.SIGKILL) as killed:
        assert killed.end() == -signal.SIGKILL, killed.log()[-3000:]
        assert killed.work.reached.exists()
    run = deployment.last_run()
    assert run.status == DagsterRunStatus.STARTED
    return run.run_id


def staged(deployment: Deployment) -> list[Table]:
    """Return the staged tables that a killed run has left, in the order of publication."""
    root = Path(deployment.settings.lake_uri) / "_staging"
    found = [*root.rglob("*.parquet"), *deployment.settings.scratch.glob("*/staged/**/*.parquet")]
    names = {file.stem for file in found}
    return [table for table in TABLES if table[1] in names]


@pytest.mark.parametrize(
    ("point", "left", "published", "recorded"),
    [
        pytest.param(("in", RAW[3]), RAW[:3], 0, 0, id="while staging"),
        pytest.param(("before the audit", RAW[-1]), RAW, 0, 0, id="staged, before the audit"),
        pytest.param(("before publishing", RAW[0]), RAW, 0, 0, id="before the first publication"),
        pytest.param(("before publishing", RAW[4]), RAW[4:], 4, 4, id="between raw tables"),
        pytest.param(("once published", RAW[3]), RAW[4:], 4, 3, id="before its Dagster event"),
        pytest.param(("before publishing", STAR[-1]), STAR[-1:], 14, 14, id="before the fact"),
    ],
)
def test_a_killed_refresh_leaves_whole_tables_and_does_not_block_the_next(  # noqa: PLR0913, PLR0917
    deployment: Deployment,
    tmp_path: Path,
    point: Point,
    left: list[Table],
    published: int,
    recorded: int,
) -> None:
    before = deployment.published()
    with reading(deployment.objects):
        killed = kill_at(deployment, point, tmp_path / "killed")
        assert staged(deployment) == left
        assert deployment.replaced_since(before) == FILES[:published]
        shown = [table for table in TABLES if deployment.run_of(table) == killed]
        assert shown == TABLES[:recorded]
        scratch = list(deployment.settings.scratch.glob("*"))
        deployment.assert_refreshes_as_if_nothing_had_happened()
    assert not [path for path in scratch if path.exists()]


def test_a_star_made_of_two_snapshots_says_so(deployment: Deployment, tmp_path: Path) -> None:
    assert deployment.check("star/fact_orders:one_snapshot").passed
    kill_at(deployment, ("before publishing", RAW[4]), tmp_path / "killed")
    run = deployment.refresh(*STAR)
    assert run.success
    check = deployment.check("star/fact_orders:one_snapshot")
    assert not check.passed
    assert check.severity == AssetCheckSeverity.WARN
    assert check.description
    assert "raw/orders is from snapshot" in check.description


def test_the_uploads_of_a_killed_refresh_are_gone_after_the_next(
    on_s3: Deployment, tmp_path: Path
) -> None:
    kill_at(on_s3, ("before publishing", RAW[0]), tmp_path / "killed")
    assert sorted(on_s3.objects.uploads()) == FILES[: len(RAW)]
    assert on_s3.refresh(RAW[2]).success
    assert on_s3.objects.uploads() == []
