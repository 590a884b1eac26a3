"""If the disk is full, the run fails with a clear error and published tables are unchanged."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dagster import DagsterInstance

from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import Sales
from starschema_assets_tests.faults.conftest import deploy
from starschema_assets_tests.faults.deployment import Base, Deployment
from starschema_assets_tests.faults.reader import reading

MEBIBYTES = 6
ORDERS = 150_000
LARGE = f"""
insert into orders
select 1000000 + seq, '2025-01-01', '2025-01-09', null, 'Shipped', sha2(seq, 512),
    (select min(customerNumber) from customers)
from seq_1_to_{ORDERS}
"""
"""More data than fits on the disk. Hashes don't compress."""


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of this size in a separate namespace, which needs no root."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={size} tmpfs {folder} && echo mounted && exec sleep infinity"
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "mounted\n"
            yield Path(f"/proc/{process.pid}/root{folder}")
        finally:
            process.kill()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", f"{MEBIBYTES}m") as disk:
        yield disk


@pytest.fixture
def deployment(
    base: Base, sales: Sales, settings: Settings, instance: DagsterInstance, disk: Path
) -> Deployment:
    """A deployment with a lake on that disk and a separate source."""
    own = {"source_url": sales.url, "lake_uri": str(disk / "lake")}
    return deploy(base, Settings(**settings.model_dump() | own), instance)


def test_a_full_disk_fails_the_run_and_what_is_published_stays(
    deployment: Deployment, sales: Sales, disk: Path
) -> None:
    before = deployment.published()
    sales.sql(LARGE)
    with reading(deployment.objects):
        run = deployment.refresh()
        assert not run.success
        assert deployment.retries(run.run_id) == 0
        said = deployment.error(run.run_id)
        assert "LakeError: " in said
        assert "raw/orders could not be written to" in said
        assert " MiB free)" in said
        assert "No space left on device" in said
        assert deployment.published() == before
        assert deployment.objects.in_the_way() == set()
        assert shutil.disk_usage(disk).free > MEBIBYTES * 2**20 / 2
        sales.sql("delete from orders where orderNumber > 1000000")
        deployment.assert_refreshes_as_if_nothing_had_happened()
