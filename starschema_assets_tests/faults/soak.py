"""Soak test: repeated refreshes under write load, with killed processes and a concurrent reader."""

import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest
from dagster import DagsterInstance
from pydantic import SecretStr
from sqlalchemy import make_url

from starschema_assets.sample.mysql import load
from starschema_assets.settings import CHECKOUT, Settings
from starschema_assets_tests.faults.deployment import Deployment
from starschema_assets_tests.faults.objects import objects_of
from starschema_assets_tests.faults.processes import Refreshing, refreshing
from starschema_assets_tests.faults.reader import FACT_FILE, PAUSE, Reader
from starschema_assets_tests.faults.writers import Writer, assert_orders_add_up, writing
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.seaweedfs import SeaweedFS, seaweedfs

BUCKET, DATABASE = "soak", "sales"
MAX_OUTAGE = 3.0
"""Maximum seconds until a killed server is started again."""
LAKES = ("directory", "s3")


@dataclass
class Report:
    """Results of a soak test."""

    refreshes: Counter[str] = field(default_factory=Counter)
    """Number of refreshes by result: well, failed or killed."""
    faults: Counter[str] = field(default_factory=Counter)
    """Number of kills during a refresh, by what was killed."""
    violations: list[str] = field(default_factory=list)
    rounds: int = 0
    versions: int = 0
    unanswered: int = 0
    """Rounds of the reader that failed because the S3 server was down."""
    orders: int = 0
    """Orders of the writers that were verified, in all versions of the fact."""
    commits: int = 0


class Watcher(Reader):
    """A reader in a separate thread. It ignores errors while the lake's server is down."""

    def __init__(self, deployment: Deployment, report: Report) -> None:
        super().__init__()
        self.objects = deployment.objects
        self.report = report
        self.outages = 0
        """Number of stops and starts of the server, so it is odd while the server is down."""
        self._judged = ""

    def watch(self, ended: threading.Event) -> None:
        """Read repeatedly until `ended` is set."""
        while not ended.wait(PAUSE):
            self.look_once()

    def look_once(self) -> None:
        """Read all tables once, and record violations."""
        outages = self.outages
        try:
            self.look(self.objects)
            fact = self.current[FACT_FILE]
            if fact.digest != self._judged:
                self._judged = fact.digest
                self.report.orders += assert_orders_add_up(fact.rows)
        except AssertionError as error:
            self.report.violations.append(str(error))
        except Exception as error:  # noqa: BLE001 - the report contains any error
            if outages % 2 or outages != self.outages:
                self.report.unanswered += 1
            else:
                self.report.violations.append(repr(error))


class Soak:
    """A soak test of one deployment."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        deployment: Deployment,
        folder: Path,
        mariadb: MariaDB,
        s3: SeaweedFS | None,
        writers: list[Writer],
        chance: random.Random,
    ) -> None:
        self.report = Report()
        self.faults = ["run", "MariaDB", *(["S3"] if s3 else [])]
        self._deployment = deployment
        self._folder = folder
        self._mariadb = mariadb
        self._s3 = s3
        self._writers = writers
        self._random = chance
        self._watcher = Watcher(deployment, self.report)
        self._typical = 0.0
        """Duration of the last refresh without a fault, in seconds."""

    def publish_first(self) -> None:
        """Refresh for the first time, so that the reader finds tables."""
        self._refresh(None)

    def until(self, is_enough: Callable[[Report], bool]) -> Report:
        """Refresh with and without faults until `is_enough`, then once without a fault."""
        ended = threading.Event()
        watching = threading.Thread(target=self._watcher.watch, args=(ended,), daemon=True)
        watching.start()
        try:
            while not is_enough(self.report):
                for fault in self._random.sample([None, *self.faults], 1 + len(self.faults)):
                    self._refresh(fault)
            self._refresh(None)
        finally:
            ended.set()
            watching.join()
        self._verify_rest()
        self.report.rounds, self.report.versions = self._watcher.rounds, self._watcher.versions
        self.report.commits = sum(writer.commits for writer in self._writers)
        return self.report

    def _refresh(self, fault: str | None) -> None:
        folder = self._folder / f"{self.report.refreshes.total()}"
        begin = time.monotonic()
        with refreshing(self._deployment, folder) as refresh:
            if fault:
                refresh.process.join(self._random.uniform(0, self._typical))
                self.report.faults[fault] += refresh.process.exitcode is None
                self._strike(fault, refresh)
            code = refresh.end()
        ending = {0: "well", 1: "failed"}.get(code, "killed")
        self.report.refreshes[ending] += 1
        if ending == "well":
            self._verify_success()
        elif fault is None:
            self.report.violations.append(f"failed without a fault: {refresh.log()[-3000:]}")
        elif ending == "failed":
            self._verify_failure(refresh)
        if fault is None:
            self._typical = time.monotonic() - begin
        shutil.rmtree(folder)

    def _verify_success(self) -> None:
        """Record a violation if not all tables are from the run and from one snapshot."""
        reader = Reader()
        try:
            reader.look(self._deployment.objects)
            runs = {version.run_id for version in reader.current.values()}
            assert runs == {self._deployment.last_run().run_id}, "not all tables are from the run"
            versions = reader.current.values()
            snapshots = {id_ for version in versions for id_ in version.snapshots.values()}
            assert len(snapshots) == 1, f"a successful refresh mixes snapshots: {snapshots}"
        except AssertionError as error:
            self.report.violations.append(str(error))

    def _verify_failure(self, refresh: Refreshing) -> None:
        """Record a violation if the run didn't fail with an error of this project."""
        try:
            self._deployment.error(self._deployment.last_run().run_id)
        except (AssertionError, IndexError):
            self.report.violations.append(f"failed without a clear error: {refresh.log()[-3000:]}")

    def _verify_rest(self) -> None:
        """Record a violation if killed runs have left files."""
        left = self._deployment.objects.in_the_way() | self._deployment.left_in_scratch()
        if left:
            self.report.violations.append(f"left behind: {sorted(left)}")

    def _strike(self, fault: str, refresh: Refreshing) -> None:
        """Kill the run or a server. Start the server again after a while."""
        away = self._random.uniform(0, MAX_OUTAGE)
        if fault == "run":
            refresh.process.kill()
        elif fault == "MariaDB":
            self._mariadb.kill()
            time.sleep(away)
            self._mariadb.start()
        elif self._s3:
            self._watcher.outages += 1
            self._s3.stop()
            time.sleep(away)
            self._s3.start()
            self._await_answer()
            self._watcher.outages += 1

    def _await_answer(self) -> None:
        """Wait until S3 returns objects. The server opens its port earlier than that."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self._deployment.published()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


@contextmanager
def soaking(lake: str, folder: Path, seed: int) -> Iterator[Soak]:
    """Start all that a soak test needs: servers, sample, writers, Dagster instance and lake."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        mariadb = stack.enter_context(_sales(folder))
        s3, uri = None, str(folder / "lake")
        if lake == "s3":
            s3 = stack.enter_context(_bucket(folder / "s3", patch))
            uri = f"s3://{BUCKET}/lake"
        url = SecretStr(mariadb.url("reader", "reader", DATABASE))
        settings = Settings(source_url=url, lake_uri=uri, scratch=folder / "scratch")
        home = folder / "home"
        home.mkdir()
        shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", home)
        instance = stack.enter_context(DagsterInstance.from_config(str(home)))
        deployment = Deployment(settings, instance, objects_of(settings, s3.url if s3 else None))
        writers = stack.enter_context(writing(mariadb, DATABASE, seed))
        soak = Soak(deployment, folder, mariadb, s3, writers, random.Random(seed))
        soak.publish_first()
        yield soak


@contextmanager
def _sales(folder: Path) -> Iterator[MariaDB]:
    """Start a server with the sample. It keeps committed changes when it is killed."""
    with MariaDB(local_infile="1", innodb_flush_log_at_trx_commit="1") as server:
        server.execute(
            f"create database {DATABASE};"
            "create user owner identified by 'owner', reader identified by 'reader';"
            f"grant all on {DATABASE}.* to owner; grant select on {DATABASE}.* to reader"
        )
        load(make_url(server.url("owner", "owner", DATABASE)), folder / "scratch")
        yield server


@contextmanager
def _bucket(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[SeaweedFS]:
    """Start an S3 server with a versioned bucket, and set its owner's AWS variables."""
    folder.mkdir()
    with seaweedfs(folder) as server:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        bucket = boto3.resource("s3").Bucket(BUCKET)
        bucket.create()
        bucket.Versioning().enable()
        yield server
