"""Where Spark reads published tables and writes the parts of new ones.

On one machine that is a local folder, for a lake on S3 as well. The workers of a cluster share S3
alone: they read the lake's objects and write below its `_spark/staging/`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import boto3
import pyarrow as pa
from pyarrow import parquet as pq

from starschema_assets.aws import client_config
from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.lake import Lake, Table, name_of
from starschema_assets.lake.s3_bucket import Bucket, clear_errors
from starschema_assets.lake.scratch import Scratch
from starschema_assets.settings import Settings

BATCH_ROWS = 100_000


class Files(Protocol):
    """Places by table."""

    def published(self, table: Table) -> str:
        """What Spark reads as the version that is published now."""

    def staging(self, table: Table) -> str:
        """The folder into which Spark writes parts."""

    def parts(self, table: Table) -> Iterator[Path]:
        """The parts as local files, in the order of their rows; each lives until the next."""

    def clear(self, *, of_all_runs: bool) -> None:
        """Remove what this run staged, or every run; the latter only with the lake's lock."""


class LocalFiles:
    """Below one scratch folder, which no other run uses."""

    def __init__(self, lake: Lake, folder: Path) -> None:
        self._lake = lake
        self._folder = folder

    def published(self, table: Table) -> str:
        """The local file that the lake hands out."""
        return str(self._lake.fetch(table))

    def staging(self, table: Table) -> str:
        """A folder of the table's own."""
        return str(self._folder / name_of(table))

    def parts(self, table: Table) -> Iterator[Path]:
        """Spark numbers them."""
        yield from sorted((self._folder / name_of(table)).glob("part-*"))

    def clear(self, *, of_all_runs: bool) -> None:
        """Nothing: the scratch folder goes with the run, and killed runs' with the next."""


class S3Files:
    """Below `<lake>/_spark/staging/`; parts pass through a scratch folder, one at a time."""

    def __init__(self, lake: Lake, bucket: Bucket, run_id: str, folder: Path) -> None:
        """`bucket` is the lake's, below its `_spark/staging/`."""
        self._lake = lake
        self._bucket = bucket
        self._run_id = run_id
        self._folder = folder

    def published(self, table: Table) -> str:
        """The object itself; nobody replaces it while the lake's lock is held."""
        return self._lake.uri(table)

    def staging(self, table: Table) -> str:
        """A prefix of the table's own."""
        return f"s3://{self._bucket.name}/{self._prefix(table)}"

    def parts(self, table: Table) -> Iterator[Path]:
        """Spark numbers them."""
        local = self._folder / "part"
        with clear_errors(self._bucket.name, self._bucket.prefix, f"{name_of(table)}: reading"):
            for key in sorted(self._bucket.keys(f"{self._prefix(table)}part-")):
                self._bucket.client.download_file(self._bucket.name, key, str(local))
                yield local

    def clear(self, *, of_all_runs: bool) -> None:
        """Object by object: parts are few."""
        below = self._bucket.prefix + ("" if of_all_runs else f"{self._run_id}/")
        with clear_errors(self._bucket.name, below, "Clearing the staging"):
            for key in self._bucket.keys(below):
                self._bucket.client.delete_object(Bucket=self._bucket.name, Key=key)

    def _prefix(self, table: Table) -> str:
        return f"{self._bucket.prefix}{self._run_id}/{name_of(table)}/"


@contextmanager
def open_files(lake: Lake, settings: Settings, run_id: str, *, on_cluster: bool) -> Iterator[Files]:
    """The places of one run; its scratch folder is gone afterwards."""
    scratch = Scratch(settings.scratch)
    try:
        if not on_cluster:
            yield LocalFiles(lake, scratch.path)
        elif settings.s3_lake:
            name, prefix = settings.s3_lake
            client = boto3.Session().client("s3", config=client_config())
            bucket = Bucket(client, name, f"{prefix}_spark/staging/")
            yield S3Files(lake, bucket, run_id, scratch.path)
        else:
            raise LakeError(
                f"The workers of a cluster can't reach {settings.lake_uri}: "
                "let STARSCHEMA_LAKE_URI name a lake on S3."
            )
    finally:
        scratch.close()


def read_parts(parts: Iterator[Path]) -> pa.RecordBatchReader:
    """The rows of all parts, one after the other, in the memory of a batch."""
    first = pq.ParquetFile(next(parts))

    def batches() -> Iterator[pa.RecordBatch]:
        yield from first.iter_batches(BATCH_ROWS)
        for part in parts:
            yield from pq.ParquetFile(part).iter_batches(BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(first.schema_arrow, batches())
