"""Access to a lake's files without the project's code, as readers and crawlers see them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from starschema_assets.lake.parquet import read_footer
from starschema_assets.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STAGES = ("raw/", "star/")


class Objects(ABC):
    """The files or objects of one lake, by their names relative to it."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return all names."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the content of an object."""

    @abstractmethod
    def write(self, name: str, file: Path) -> None:
        """Write a table's file like a refresh."""

    @abstractmethod
    def uploads(self) -> list[str]:
        """Return the names of unfinished uploads."""

    def published(self) -> dict[str, bytes]:
        """Return all objects below the stages, which readers and crawlers see."""
        return {name: self.read(name) for name in self.names() if name.startswith(STAGES)}

    def in_the_way(self) -> set[str]:
        """Return temporary files that a run must delete: all but tables, lock and versions."""
        kept = (*STAGES, "_lock", "_history/")
        return {name for name in self.names() if not name.startswith(kept)} | set(self.uploads())


@dataclass(frozen=True)
class Files(Objects):
    """A lake in a directory."""

    root: Path

    def names(self) -> list[str]:
        return [str(f.relative_to(self.root)) for f in self.root.rglob("*") if f.is_file()]

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, file: Path) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True)
        target.write_bytes(file.read_bytes())

    def uploads(self) -> list[str]:
        return []


@dataclass(frozen=True)
class S3Objects(Objects):
    """A lake below a prefix on S3."""

    client: "S3Client"
    bucket: str
    prefix: str

    def names(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix
        )
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return [key.removeprefix(self.prefix) for key in keys]

    def read(self, name: str) -> bytes:
        with self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"] as body:
            return body.read()

    def write(self, name: str, file: Path) -> None:
        entries = read_footer(file).metadata
        self.client.put_object(
            Bucket=self.bucket,
            Key=self.prefix + name,
            Body=file.read_bytes(),
            Metadata={entry: entries[entry] for entry in ("run_id", "written_at")},
        )

    def uploads(self) -> list[str]:
        answer = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix)
        return [found["Key"].removeprefix(self.prefix) for found in answer.get("Uploads", [])]


def objects_of(settings: Settings, endpoint: str | None) -> Objects:
    """Return the objects of the settings' lake. `endpoint` is used for S3."""
    if settings.lake_uri.startswith("s3://"):
        bucket, _, prefix = settings.lake_uri.removeprefix("s3://").partition("/")
        return S3Objects(boto3.client("s3", endpoint_url=endpoint), bucket, f"{prefix}/")
    return Files(Path(settings.lake_uri))
