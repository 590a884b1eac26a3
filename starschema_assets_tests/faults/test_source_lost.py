"""If the source is lost while a table is read, published files are unchanged; a retry follows."""

from collections.abc import Callable, Iterable, Iterator
from logging import Logger

import pytest
from dagster import DagsterInstance
from pydantic import SecretStr

from starschema_assets import assets
from starschema_assets.raw import extraction
from starschema_assets.settings import Settings
from starschema_assets.source.errors import SourceError
from starschema_assets.source.source import Source, SourceTable
from starschema_assets_tests.conftest import PASSWORD, load_sample
from starschema_assets_tests.database_server import DatabaseServer, numbers
from starschema_assets_tests.faults.conftest import deploy
from starschema_assets_tests.faults.deployment import Base, Deployment
from starschema_assets_tests.faults.reader import reading
from starschema_assets_tests.servers import KINDS, server_of

ORDERS = 250_000
"""More rows than the buffers of a connection can hold."""
LARGE = f"""
insert into orders
select 1000000 + seq, '2025-01-01', '2025-01-09', null, 'Shipped', sha2(seq, 512),
    (select min(customerNumber) from customers)
from {numbers(ORDERS)}
"""


@pytest.fixture(scope="module", params=KINDS)
def doomed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DatabaseServer]:
    """A separate server with the sample and a large table, which tests may kill."""
    with server_of(request.param, local_infile="1") as server:
        load_sample(server, "sales", tmp_path_factory.mktemp("load"))
        server.execute(LARGE, "sales")
        yield server


@pytest.fixture
def deployment(
    base: Base, doomed: DatabaseServer, settings: Settings, instance: DagsterInstance
) -> Deployment:
    """A deployment whose source is that server."""
    url = SecretStr(doomed.url("reader", PASSWORD, "sales"))
    return deploy(base, settings.model_copy(update={"source_url": url}), instance)


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "RETRY_SECONDS", 0)


Interruption = Callable[[Callable[[], object], int], list[int]]


@pytest.fixture
def in_mid_read(monkeypatch: pytest.MonkeyPatch) -> Interruption:
    """Calls a function when the first rows of raw/orders have been read, in the first attempts.

    Returns a list, to which the number of rows read is added each time.
    """

    def prepare(act: Callable[[], object], attempts: int) -> list[int]:
        interrupted: list[int] = []

        def report(name: str, expected: int, _: Logger) -> Callable[[int], None]:
            is_due = name == "raw/orders" and len(interrupted) < attempts

            def progress(rows: int) -> None:
                nonlocal is_due
                if is_due:
                    is_due = False
                    assert 0 < rows < expected / 2
                    interrupted.append(rows)
                    act()

            return progress

        monkeypatch.setattr(extraction, "report_progress", report)
        return interrupted

    return prepare


def kill_connections(server: DatabaseServer) -> None:
    """Kill the reader's connections, as an administrator does with a long query."""
    found = server.execute("select id from information_schema.processlist where user = 'reader'")
    for connection in found.split():
        server.execute(f"kill {connection}")


def test_a_server_that_is_back_at_the_retry_costs_nothing_but_time(
    deployment: Deployment, doomed: DatabaseServer, in_mid_read: Interruption
) -> None:
    interrupted = in_mid_read(doomed.restart, 1)
    with reading(deployment.objects):
        deployment.assert_refreshes_as_if_nothing_had_happened()
    assert len(interrupted) == 1
    assert deployment.retries(deployment.last_run().run_id) == 1


def test_a_connection_that_an_administrator_killed_is_made_again(
    deployment: Deployment, doomed: DatabaseServer, in_mid_read: Interruption
) -> None:
    interrupted = in_mid_read(lambda: kill_connections(doomed), 2)
    run = deployment.refresh(("raw", "orders"))
    assert run.success
    assert len(interrupted) == deployment.retries(run.run_id) == 2
    assert deployment.rows("select count(*) > 250000 from raw.orders") == [(True,)]


def test_a_connection_that_is_always_killed_fails_the_run_after_three_retries(
    deployment: Deployment, doomed: DatabaseServer, in_mid_read: Interruption
) -> None:
    before = deployment.published()
    interrupted = in_mid_read(lambda: kill_connections(doomed), 99)
    run = deployment.refresh(("raw", "orders"))
    assert not run.success
    assert len(interrupted) == 4
    said = deployment.error(run.run_id)
    assert "ConnectionLost: " in said
    assert "reading orders: the snapshot was lost" in said
    assert deployment.published() == before
    assert deployment.objects.in_the_way() == set()


def test_a_server_that_stays_away_fails_the_run_and_what_is_published_stays(
    deployment: Deployment, doomed: DatabaseServer, in_mid_read: Interruption
) -> None:
    before = deployment.published()
    interrupted = in_mid_read(doomed.kill, 1)
    with reading(deployment.objects):
        run = deployment.refresh()
        assert not run.success
        assert len(interrupted) == 1
        said = deployment.error(run.run_id)
        assert f"mysql://reader@127.0.0.1:{doomed.port}/sales: Can't connect to" in said
        assert deployment.published() == before
        assert deployment.objects.in_the_way() == set()
        doomed.start()
        deployment.assert_refreshes_as_if_nothing_had_happened()


def test_a_server_that_takes_its_time_to_come_back_is_waited_for(
    deployment: Deployment,
    doomed: DatabaseServer,
    in_mid_read: Interruption,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the first retry, the server isn't listening yet; at the second it is."""
    declared = Source.declared
    refused: list[str] = []

    def declared_or_started(self: Source, tables: Iterable[str]) -> dict[str, SourceTable]:
        try:
            return declared(self, tables)
        except SourceError as error:
            refused.append(str(error))
            doomed.start()
            raise

    monkeypatch.setattr(Source, "declared", declared_or_started)
    in_mid_read(doomed.kill, 1)
    run = deployment.refresh(("raw", "orders"))
    assert "Can't connect" in refused[0]
    assert run.success
    assert deployment.retries(run.run_id) == 2
