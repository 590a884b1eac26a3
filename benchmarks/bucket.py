"""A versioned bucket on a local S3 server (SeaweedFS), used as the lake in benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from benchmarks.source import new_folder
from starschema_assets_tests.seaweedfs import SeaweedFS, seaweedfs

if TYPE_CHECKING:
    from mypy_boto3_s3.service_resource import Bucket as S3Bucket

NAME = "bench"


@dataclass(frozen=True)
class Bucket:
    """A versioned bucket. `take` empties it after each run."""

    server: SeaweedFS

    def settings(self) -> dict[str, str]:
        """Return the environment variables for a process that publishes to this bucket."""
        return {"STARSCHEMA_LAKE_URI": f"s3://{NAME}/lake", **self.server.environment()}

    def take(self, folder: Path) -> None:
        """Download the published files to a folder, then empty the bucket.

        Files whose name begins with `_` are skipped.
        """
        for item in self._objects.objects.filter(Prefix="lake/"):
            path = folder / item.key.removeprefix("lake/")
            if not path.name.startswith("_"):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._objects.download_file(item.key, str(path))
        self._objects.object_versions.delete()

    @property
    def _objects(self) -> "S3Bucket":
        environment = self.server.environment()
        return boto3.resource(
            "s3",
            endpoint_url=self.server.url,
            region_name=environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        ).Bucket(NAME)

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["Bucket"]:
        """Start an S3 server. Its data is on the same disk as the default lake."""
        folder = new_folder()
        try:
            with seaweedfs(folder.path) as server:
                bucket = cls(server)
                bucket._objects.create()
                bucket._objects.Versioning().enable()
                yield bucket
        finally:
            folder.close()
