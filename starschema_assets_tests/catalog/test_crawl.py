"""The crawl that a real Dagster daemon starts after the star was published."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterRun, DagsterRunStatus, RunsFilter

from starschema_assets.catalog import embedded
from starschema_assets_tests.daemon import Deployment, deployed, eventually

SENSOR = "crawl_after_publication"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A pipeline from the sample database to a lake in a directory."""
    with deployed(tmp_path) as deployment:
        yield deployment


def crawls(deployment: Deployment, *statuses: DagsterRunStatus) -> list[DagsterRun]:
    wanted = RunsFilter(job_name="crawl_star_schema", statuses=statuses)
    return list(deployment.pipeline.instance.get_runs(wanted))


def order_lines(deployment: Deployment) -> int:
    with embedded.connect(deployment.pipeline.settings) as catalog:
        ((lines,),) = catalog.execute("select count(*) from fact_orders").fetchall()
    return int(lines)


def test_each_good_run_is_crawled_once_whenever_the_daemon_sees_it(
    deployment: Deployment,
) -> None:
    assert deployment.pipeline.refresh().success  # while the daemon is down
    with deployment.daemon():
        eventually(lambda: crawls(deployment, DagsterRunStatus.SUCCESS))
        assert order_lines(deployment) == 3068
        deployment.sql("delete from orderdetails where orderNumber = 10100")
        assert deployment.launch().is_success
        eventually(lambda: len(crawls(deployment, DagsterRunStatus.SUCCESS)) == 2)
        deployment.sql("update orderdetails set quantityOrdered = -1 where orderNumber = 10101")
        assert deployment.launch().is_failure
        deployment.await_evaluations(SENSOR)
    assert order_lines(deployment) < 3068
    assert len(crawls(deployment)) == 2
