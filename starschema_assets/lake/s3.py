"""A lake on S3. Publishing completes a multipart upload if the object hasn't changed meanwhile."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from functools import cached_property
from logging import Logger
from pathlib import Path
from urllib.parse import quote

import boto3
import pyarrow as pa
from boto3.s3.transfer import TransferConfig
from s3transfer.exceptions import S3DownloadFailedError

from starschema_assets.aws import client_config
from starschema_assets.lake.errors import LakeError, NoEarlierVersion, NotPublished
from starschema_assets.lake.lake import (
    RUN_ID,
    WRITTEN_AT,
    Lake,
    Published,
    StagedTable,
    Table,
    Version,
    file_of,
    name_of,
    table_of,
)
from starschema_assets.lake.multipart import THREADS, Multipart, UploadConflict
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.lake.s3_bucket import Bucket, End, clear_errors
from starschema_assets.lake.s3_lease import LockObject, S3Lease, lease
from starschema_assets.lake.scratch import Scratch, sweep
from starschema_assets.settings import Settings

FOOTER_BYTES = 2**17
"""Bytes to read from a file's end. They contain the footer of most tables."""
UPLOADS = 3
"""Maximum number of uploads of one table if S3 rejects them because of concurrent requests."""


class S3Lake(Lake):
    """Tables below `s3://bucket/prefix`. The lock is the object `_lock`."""

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        """Make no request to S3 or for credentials yet."""
        self._name = bucket
        self._prefix = prefix
        # The default session is shared by all threads and isn't thread-safe.
        self._session = boto3.Session()
        self._settings = settings
        self._folder: Scratch | None = None
        self._uploads: dict[Path, Multipart] = {}
        self._lease: S3Lease | None = None
        """The lease while this lake is locked."""

    def uri(self, table: Table) -> str:
        return f"s3://{self._name}/{self._key(table)}"

    def document_uri(self, document: Table) -> str:
        return f"s3://{self._name}/{self._page(document)}"

    def document_link(self, document: Table) -> str | None:
        """Return the object's page in the AWS console. Users with read access open it there."""
        region = self._bucket.client.meta.region_name
        home = f"https://{region}.console.aws.amazon.com/s3/object/{self._name}"
        return f"{home}?region={region}&prefix={quote(self._page(document))}"

    def write_document(self, document: Table, html: bytes) -> str:
        with self._errors(document, "publishing"):
            self._bucket.client.put_object(
                Bucket=self._bucket.name,
                Key=self._page(document),
                Body=html,
                ContentType="text/html; charset=utf-8",
            )
        return self.document_uri(document)

    def close(self) -> None:
        """Delete staged and downloaded files, and close the connections."""
        if "_bucket" in self.__dict__:
            self._bucket.client.close()
        if self._folder:
            self._folder.close()
            self._folder = None

    @contextmanager
    def lock(self, holder: str, log: Logger) -> Iterator[None]:
        """Hold `_lock`. Delete unfinished uploads and scratch folders of killed runs first."""
        key = f"{self._prefix}_lock"
        lock = LockObject(self._bucket.client, self._name, key)
        hasty = self._session.client("s3", config=client_config(attempts=3, timeout=5))
        renewals = LockObject(hasty, self._name, key)
        wait = self._settings.lock_wait
        with closing(hasty), lease(lock, renewals, holder, wait, log) as held:
            self._sweep(log)
            self._lease = held
            try:
                yield
            finally:
                self._lease = None
                for upload in self._uploads.values():
                    upload.abort()
                self._uploads.clear()
                shutil.rmtree(self._scratch() / "staged", ignore_errors=True)

    def upload(self, staged: StagedTable) -> None:
        """Upload the file's parts. S3 doesn't show them before the upload is completed."""
        with self._errors(staged.table, "uploading"):
            metadata = {key: staged.metadata[key] for key in (RUN_ID, WRITTEN_AT)}
            upload = self._begin(staged.table, metadata)
            self._uploads[staged.path] = upload
            upload.upload(staged.path)

    def publish(self, staged: StagedTable) -> Published:
        """Complete the upload if the object hasn't changed since the upload started."""
        upload = self._uploads[staged.path]
        etag = self._complete(staged.table, upload)
        del self._uploads[staged.path]
        # Keep the file for `fetch`, so that it isn't downloaded again.
        staged.path.rename(self._cached(staged.table, etag))
        return Published(staged.table, self.uri(staged.table), staged.bytes)

    def fetch(self, table: Table, version: Version | None = None) -> Path:
        """Download the version. The published version isn't downloaded again if it is cached."""
        with self._errors(table, "downloading"):
            end = self._end(table, 1, version)
            path = self._cached(table, "earlier" if version else end.etag)
            if path.exists() and not version:
                return path
            partial = path.with_suffix(".partial")
            try:
                self._bucket.client.download_file(
                    self._bucket.name,
                    self._key(table),
                    str(partial),
                    ExtraArgs={"VersionId": end.version} if end.version else None,
                    Config=TransferConfig(max_concurrency=THREADS),
                )
            except S3DownloadFailedError:
                # The version was replaced in a bucket without versioning, or it has expired.
                return self.fetch(table, version)
            return partial.rename(path)

    def footer(self, table: Table, version: Version | None = None) -> Footer:
        """Read the footer from the object's last bytes, usually with one request."""
        with self._errors(table, "reading"):
            end = self._end(table, FOOTER_BYTES, version).content
            length = int.from_bytes(end[-8:-4], "little") + 8
            if length > len(end):
                end = self._end(table, length, version).content
            return read_footer(pa.BufferReader(end))

    def tables(self, stage: str) -> list[Table]:
        prefix = f"{self._prefix}{stage}/"
        with clear_errors(self._bucket.name, prefix, "Listing the tables"):
            return sorted(table for key in self._bucket.keys(prefix) if (table := self._table(key)))

    def versions(self, table: Table) -> Iterator[Version]:
        """Yield the versions that the bucket keeps. Metadata is requested as each is reached."""
        key = self._key(table)
        with self._errors(table, "listing versions"):
            for found in self._bucket.versions(key):
                metadata = self._bucket.metadata(key, found["VersionId"])
                written = metadata.get(WRITTEN_AT)
                yield Version(
                    id=found["VersionId"],
                    run_id=metadata.get(RUN_ID, "unknown"),
                    written_at=datetime.fromisoformat(written)
                    if written
                    else found["LastModified"],
                    bytes=found["Size"],
                    is_current=found["IsLatest"],
                )

    def previous(self, table: Table) -> Version:
        """Return the version to restore. The error says if the bucket has no versioning."""
        try:
            return super().previous(table)
        except NoEarlierVersion as error:
            with self._errors(table, "looking for versions"):
                if self._bucket.keeps_versions():
                    raise
            raise NoEarlierVersion(
                f"{name_of(table)}: bucket {self._bucket.name!r} has no versioning, so nothing can "
                "be restored. Enable versioning to keep versions that are replaced from then on."
            ) from error

    def restore(self, table: Table, version: Version) -> Published:
        """Copy the version over the current one on the server."""
        with self._errors(table, "restoring"):
            metadata = self._bucket.metadata(self._key(table), version.id)
            upload = self._begin(table, metadata)
            try:
                upload.copy(version.id, version.bytes)
                self._complete(table, upload)
            except BaseException:
                upload.abort()
                raise
        return Published(table, self.uri(table), version.bytes)

    def forget(self, table: Table) -> None:
        """Hide the object with a delete marker. Raises LakeError if versioning is disabled."""
        with self._errors(table, "deleting"):
            self._held(table).verify()
            if not self._bucket.keeps_versions():
                raise LakeError(
                    f"{name_of(table)}: nothing was deleted, because bucket {self._name!r} has no "
                    "versioning, and the deletion couldn't be undone: enable versioning first"
                )
            self._bucket.client.delete_object(Bucket=self._name, Key=self._key(table))

    @cached_property
    def _bucket(self) -> Bucket:
        client = self._session.client("s3", config=client_config())
        return Bucket(client, self._name, self._prefix)

    def _key(self, table: Table) -> str:
        return self._prefix + file_of(table)

    def _page(self, document: Table) -> str:
        return self._prefix + file_of(document, "html")

    def _table(self, key: str) -> Table | None:
        return table_of(key.removeprefix(self._prefix))

    def _begin(self, table: Table, metadata: Mapping[str, str]) -> Multipart:
        return Multipart(self._bucket.client, self._bucket.name, self._key(table), metadata)

    def _end(self, table: Table, length: int, version: Version | None = None) -> End:
        if end := self._bucket.end(self._key(table), length, version.id if version else None):
            return end
        raise NotPublished(f"{name_of(table)} is not in {self.uri(table)}: materialize it first.")

    def _staging_folder(self, table: Table) -> Path:
        self._held(table)
        return self._scratch() / "staged"

    def _held(self, table: Table) -> S3Lease:
        if self._lease is None:
            raise LakeError(f"{name_of(table)} can be written only while the lake's lock is held.")
        return self._lease

    def _scratch(self) -> Path:
        if self._folder is None:
            self._folder = Scratch(self._settings.scratch)
        return self._folder.path

    def _cached(self, table: Table, etag: str) -> Path:
        folder = self._scratch() / "published" / etag.strip('"')
        path = folder / file_of(table)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _errors(self, table: Table, doing: str) -> AbstractContextManager[None]:
        return clear_errors(self._bucket.name, self._key(table), f"{name_of(table)}: {doing}")

    def _complete(self, table: Table, upload: Multipart) -> str:
        with self._errors(table, "publishing"):
            for _ in range(UPLOADS):
                self._held(table).verify()
                try:
                    return upload.complete()
                except UploadConflict:
                    upload.begin_anew()
                except LakeError as error:
                    raise LakeError(
                        f"{name_of(table)} was not published to {self.uri(table)}: {error}."
                    ) from error
        raise LakeError(
            f"{name_of(table)} was not published to {self.uri(table)}: {UPLOADS} uploads met "
            "conflicting writes to that object. Find the other writer, then start this run again."
        )

    def _sweep(self, log: Logger) -> None:
        for folder in sweep(self._settings.scratch):
            log.info("Removed %s, left over from a killed run.", folder)
        with clear_errors(self._bucket.name, self._bucket.prefix, "Deleting unfinished uploads"):
            for upload in self._bucket.uploads():
                if self._table(upload["Key"]):
                    self._bucket.abort(upload)
                    log.info("Removed an unfinished upload to %s.", upload["Key"])
