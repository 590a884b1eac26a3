"""A bucket of a real S3 server, for a refresh that publishes there."""

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
    """One versioned bucket, emptied after each run."""

    server: SeaweedFS

    def settings(self) -> dict[str, str]:
        """The variables of a process that publishes to it."""
        return {"STARSCHEMA_LAKE_URI": f"s3://{NAME}/lake", **self.server.environment()}

    def take(self, folder: Path) -> None:
        """Move what was published below `raw/` and `star/` to a folder, and empty the bucket."""
        for item in self._objects.objects.filter(Prefix="lake/"):
            path = folder / item.key.removeprefix("lake/")
            if not path.name.startswith("_"):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._objects.download_file(item.key, str(path))
        self._objects.object_versions.delete()

    @property
    def _objects(self) -> "S3Bucket":
        own = self.server.environment()
        return boto3.resource(
            "s3",
            endpoint_url=self.server.url,
            region_name=own["AWS_DEFAULT_REGION"],
            aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
        ).Bucket(NAME)

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["Bucket"]:
        """Start a server, with its data on the disk that the lake is on by default."""
        folder = new_folder()
        try:
            with seaweedfs(folder.path) as server:
                bucket = cls(server)
                bucket._objects.create()
                bucket._objects.Versioning().enable()
                yield bucket
        finally:
            folder.close()
