"""Multipart uploads to S3. The object appears only when its upload is completed."""

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from starschema_assets.aws import code_of
from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.s3_bucket import is_conflict, is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 8 * 2**20
COPIED_PART_BYTES = 2**30
MAX_PARTS = 10_000
"""S3's limits: a part has 5 MiB to 5 GiB, and an upload has at most MAX_PARTS parts."""
THREADS = 4
"""Number of parts that are uploaded, and kept in memory, at the same time."""

_MARK = "upload"


class UploadConflict(Exception):  # noqa: N818 - named after the event
    """S3 rejected the completion because of a concurrent request. The upload must be repeated."""


class Multipart:
    """One upload to one key. Readers don't see it before `complete`."""

    def __init__(
        self, client: "S3Client", bucket: str, key: str, metadata: Mapping[str, str]
    ) -> None:
        """Start the upload. `current` is the ETag of the object that it replaces, if any."""
        self._client = client
        self._at: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._mark = uuid.uuid4().hex
        self._metadata = {**metadata, _MARK: self._mark}
        self.current = _etag(client, self._at)
        self._id = self._create()
        self._parts: list[Any] = []
        self._send_again: Callable[[], None] = lambda: None

    def upload(self, path: Path) -> None:
        """Upload the file's parts, several at a time."""
        self._send_again = lambda: self.upload(path)
        size = path.stat().st_size

        def send(number: int, start: int, length: int) -> dict[str, Any]:
            with path.open("rb") as file:
                file.seek(start)
                body = file.read(length)
            return dict(
                self._client.upload_part(
                    **self._at,
                    UploadId=self._id,
                    PartNumber=number,
                    Body=body,
                    ChecksumAlgorithm="CRC32",  # whatever the AWS configuration says
                )
            )

        self._send(send, size, PART_BYTES)

    def copy(self, version: str, size: int) -> None:
        """Copy an earlier version of the same object on the server."""
        self._send_again = lambda: self.copy(version, size)
        source: Any = {**self._at, "VersionId": version}

        def send(number: int, start: int, length: int) -> dict[str, Any]:
            # S3 accepts a range only for objects above 5 MB
            part: Any = {"CopySourceRange": f"bytes={start}-{start + length - 1}"}
            response = self._client.upload_part_copy(
                **self._at,
                UploadId=self._id,
                PartNumber=number,
                CopySource=source,
                **(part if length < size else {}),
            )
            return dict(response["CopyPartResult"])

        self._send(send, size, COPIED_PART_BYTES)

    def complete(self) -> str:
        """Make the object visible and return its ETag, if `current` is still the object's ETag.

        Raises UploadConflict if a retry after `begin_anew` can succeed, LakeError on any other
        conflict, and ClientError otherwise.
        """
        condition: dict[str, Any] = (
            {"IfMatch": self.current} if self.current else {"IfNoneMatch": "*"}
        )
        try:
            response = self._client.complete_multipart_upload(
                **self._at, UploadId=self._id, MultipartUpload={"Parts": self._parts}, **condition
            )
        except ClientError as error:
            if not is_conflict(error) and code_of(error) != "NoSuchUpload":
                raise
            # The upload may have succeeded: botocore repeats a request whose response was lost.
            if etag := self._completed():
                return etag
            is_busy = code_of(error) == "ConditionalRequestConflict"
            if is_busy and _etag(self._client, self._at) == self.current:
                raise UploadConflict from error
            raise LakeError(
                "another run published this table or deleted this upload: start this run again"
            ) from error
        return response["ETag"]

    def begin_anew(self) -> None:
        """Send all parts again in a new upload."""
        self.abort()
        self._id = self._create()
        self._send_again()

    def abort(self) -> None:
        """Delete the parts. If S3 can't be reached, the next holder of the lock deletes them."""
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(**self._at, UploadId=self._id)

    def _create(self) -> str:
        return self._client.create_multipart_upload(
            **self._at,
            Metadata=self._metadata,
            ContentType="application/vnd.apache.parquet",
            ChecksumAlgorithm="CRC32",
        )["UploadId"]

    def _send(
        self, send: Callable[[int, int, int], dict[str, Any]], size: int, part_bytes: int
    ) -> None:
        length = max(part_bytes, -(-size // MAX_PARTS))
        starts = range(0, size, length)
        with ThreadPoolExecutor(THREADS) as pool:
            parts = [
                pool.submit(send, number, start, min(length, size - start))
                for number, start in enumerate(starts, start=1)
            ]
            try:
                self._parts = [
                    _part(number, part.result()) for number, part in enumerate(parts, start=1)
                ]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _completed(self) -> str | None:
        with suppress(ClientError):
            head = self._client.head_object(**self._at)
            if head["Metadata"].get(_MARK) == self._mark:
                return head["ETag"]
        return None


def _part(number: int, response: Mapping[str, Any]) -> dict[str, Any]:
    checksums = {key: response[key] for key in response if key.startswith("Checksum")}
    return {"PartNumber": number, "ETag": response["ETag"], **checksums}


def _etag(client: "S3Client", at: Mapping[str, Any]) -> str | None:
    try:
        return client.head_object(**at)["ETag"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
