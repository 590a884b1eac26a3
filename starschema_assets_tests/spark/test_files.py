"""Files of Spark on a cluster, whose workers share a real S3 server."""

import uuid
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.lake import open_lake
from starschema_assets.settings import Settings
from starschema_assets.spark.files import open_files, read_parts
from starschema_assets_tests.conftest import PLAIN

FACT = ("star", "fact_orders")
PARTS = [[1, 2], [3], [], [4, 5, 6]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty lake on S3."""
    return Settings(lake_uri=f"s3://{PLAIN}/{uuid.uuid4().hex}", scratch=tmp_path)


def stage(s3: Any, folder: str, tmp_path: Path) -> None:
    """Write the files that Spark would write: numbered parts and a success marker."""
    prefix = folder.removeprefix(f"s3://{PLAIN}/")
    for number, rows in reversed(list(enumerate(PARTS))):
        file = tmp_path / "made.parquet"
        pq.write_table(pa.table({"n": pa.array(rows, pa.int32())}), file)
        s3.upload_file(str(file), PLAIN, f"{prefix}part-{number:05}-c000.snappy.parquet")
    s3.put_object(Bucket=PLAIN, Key=f"{prefix}_SUCCESS", Body=b"")


@pytest.mark.usefixtures("s3")
def test_the_parts_of_a_cluster_are_read_in_order_and_removed(
    settings: Settings, tmp_path: Path
) -> None:
    s3 = boto3.Session().client("s3")
    lake = open_lake(settings)
    with (
        open_files(lake, settings, "mine", on_cluster=True) as mine,
        open_files(lake, settings, "other", on_cluster=True) as other,
    ):
        assert mine.published(FACT) == f"{settings.lake_uri}/star/fact_orders/fact_orders.parquet"
        folder = mine.staging(FACT)
        assert folder == f"{settings.lake_uri}/_spark/staging/mine/star/fact_orders/"
        stage(s3, folder, tmp_path)
        stage(s3, other.staging(FACT), tmp_path)
        rows = read_parts(mine.parts(FACT)).read_all()
        assert rows["n"].to_pylist() == [1, 2, 3, 4, 5, 6]
        mine.clear(of_all_runs=False)
        assert list(mine.parts(FACT)) == []
        assert len(list(other.parts(FACT))) == len(PARTS)
        mine.clear(of_all_runs=True)
        assert list(other.parts(FACT)) == []
    lake.close()
    assert not list(tmp_path.glob("*/part*"))


def test_a_cluster_refuses_a_lake_that_its_workers_cannot_reach(tmp_path: Path) -> None:
    settings = Settings(lake_uri=str(tmp_path / "lake"), scratch=tmp_path)
    with (
        pytest.raises(LakeError, match="STARSCHEMA_LAKE_URI to a location on S3"),
        open_files(open_lake(settings), settings, "r", on_cluster=True),
    ):
        pass
