"""Files that Spark reads (published tables) and writes (parts of new tables).

Local Spark uses a local folder, even for a lake on S3. The workers of a cluster share only S3: they
read the lake's objects and write below its `_spark/staging/`.
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
    """Locations of the files of each table."""

    def published(self, table: Table) -> str:
        """Return the location of the published version."""

    def staging(self, table: Table) -> str:
        """Return the folder into which Spark writes parts."""

    def parts(self, table: Table) -> Iterator[Path]:
        """Yield the parts as local files, in row order. Each may be replaced by the next."""

    def clear(self, *, of_all_runs: bool) -> None:
        """Delete staged files of this run or, if the lake's lock is held, of all runs."""


class LocalFiles:
    """Files in a scratch folder that belongs to one run."""

    def __init__(self, lake: Lake, folder: Path) -> None:
        self._lake = lake
        self._folder = folder

    def published(self, table: Table) -> str:
        return str(self._lake.fetch(table))

    def staging(self, table: Table) -> str:
        return str(self._folder / name_of(table))

    def parts(self, table: Table) -> Iterator[Path]:
        """Yield the parts in the order of the numbers in their names."""
        yield from sorted((self._folder / name_of(table)).glob("part-*"))

    def clear(self, *, of_all_runs: bool) -> None:
        """Do nothing. The scratch folder is deleted with the run, or by the next run."""


class S3Files:
    """Files below `<lake>/_spark/staging/`. Parts are downloaded one at a time."""

    def __init__(self, lake: Lake, bucket: Bucket, run_id: str, folder: Path) -> None:
        """`bucket` is the lake's bucket with the prefix `_spark/staging/`."""
        self._lake = lake
        self._bucket = bucket
        self._run_id = run_id
        self._folder = folder

    def published(self, table: Table) -> str:
        """Return the object's URI. While the lake's lock is held, the object isn't replaced."""
        return self._lake.uri(table)

    def staging(self, table: Table) -> str:
        return f"s3://{self._bucket.name}/{self._prefix(table)}"

    def parts(self, table: Table) -> Iterator[Path]:
        """Yield the parts in the order of the numbers in their names."""
        local = self._folder / "part"
        with clear_errors(self._bucket.name, self._bucket.prefix, f"{name_of(table)}: reading"):
            for key in sorted(self._bucket.keys(f"{self._prefix(table)}part-")):
                self._bucket.client.download_file(self._bucket.name, key, str(local))
                yield local

    def clear(self, *, of_all_runs: bool) -> None:
        """Delete the objects one by one, because there are only a few."""
        below = self._bucket.prefix + ("" if of_all_runs else f"{self._run_id}/")
        with clear_errors(self._bucket.name, below, "Deleting staged files"):
            for key in self._bucket.keys(below):
                self._bucket.client.delete_object(Bucket=self._bucket.name, Key=key)

    def _prefix(self, table: Table) -> str:
        return f"{self._bucket.prefix}{self._run_id}/{name_of(table)}/"


@contextmanager
def open_files(lake: Lake, settings: Settings, run_id: str, *, on_cluster: bool) -> Iterator[Files]:
    """Provide the files of one run. Its scratch folder is deleted at the end."""
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
                f"Spark workers of a cluster can't reach {settings.lake_uri}: "
                "set STARSCHEMA_LAKE_URI to a location on S3."
            )
    finally:
        scratch.close()


def read_parts(parts: Iterator[Path]) -> pa.RecordBatchReader:
    """Return a reader of the rows of all parts in order, with one batch in memory."""
    first = pq.ParquetFile(next(parts))

    def batches() -> Iterator[pa.RecordBatch]:
        yield from first.iter_batches(BATCH_ROWS)
        for part in parts:
            yield from pq.ParquetFile(part).iter_batches(BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(first.schema_arrow, batches())
