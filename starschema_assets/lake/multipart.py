"""An object that is uploaded in parts and appears only when it is completed."""

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
"""The limits of S3: parts of 5 MiB to 5 GiB, and no more than this many."""
THREADS = 4
"""As many parts are in memory at once."""

_MARK = "upload"


class UploadConflict(Exception):  # noqa: N818 - reads as what happened
    """Another request met this one: S3 wants the upload begun anew."""


class Multipart:
    """One upload to one key; invisible until `complete`."""

    def __init__(
        self, client: "S3Client", bucket: str, key: str, metadata: Mapping[str, str]
    ) -> None:
        """Begin; `current` is the ETag of what is there now, which the upload is to replace."""
        self._client = client
        self._at: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._mark = uuid.uuid4().hex
        self._metadata = {**metadata, _MARK: self._mark}
        self.current = _etag(client, self._at)
        self._id = self._create()
        self._parts: list[Any] = []
        self._send_again: Callable[[], None] = lambda: None

    def upload(self, path: Path) -> None:
        """Upload the file's parts, some at once."""
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
                    ChecksumAlgorithm="CRC32",  # also where checksums are sent only when required
                )
            )

        self._send(send, size, PART_BYTES)

    def copy(self, version: str, size: int) -> None:
        """Let the server copy an earlier version of the same object."""
        self._send_again = lambda: self.copy(version, size)
        source: Any = {**self._at, "VersionId": version}

        def send(number: int, start: int, length: int) -> dict[str, Any]:
            # S3 takes a range only of objects above 5 MB
            part: Any = {"CopySourceRange": f"bytes={start}-{start + length - 1}"}
            answer = self._client.upload_part_copy(
                **self._at,
                UploadId=self._id,
                PartNumber=number,
                CopySource=source,
                **(part if length < size else {}),
            )
            return dict(answer["CopyPartResult"])

        self._send(send, size, COPIED_PART_BYTES)

    def complete(self) -> str:
        """Let the object appear, if it still replaces what it was begun upon; return its ETag.

        Raises UploadConflict if it may be tried again after `begin_anew`, else LakeError.
        """
        condition: dict[str, Any] = (
            {"IfMatch": self.current} if self.current else {"IfNoneMatch": "*"}
        )
        try:
            answer = self._client.complete_multipart_upload(
                **self._at, UploadId=self._id, MultipartUpload={"Parts": self._parts}, **condition
            )
        except ClientError as error:
            if not is_conflict(error) and code_of(error) != "NoSuchUpload":
                raise
            # botocore may have repeated a request that had succeeded, its answer being lost.
            if etag := self._completed():
                return etag
            is_busy = code_of(error) == "ConditionalRequestConflict"
            if is_busy and _etag(self._client, self._at) == self.current:
                raise UploadConflict from error
            raise LakeError(
                "another run published or cleaned up since this one staged: run again"
            ) from error
        return answer["ETag"]

    def begin_anew(self) -> None:
        """Send everything once more, in an upload of its own."""
        self.abort()
        self._id = self._create()
        self._send_again()

    def abort(self) -> None:
        """Forget the parts; what can't be reached now is swept by the next holder of the lock."""
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
            answers = [
                pool.submit(send, number, start, min(length, size - start))
                for number, start in enumerate(starts, start=1)
            ]
            try:
                self._parts = [
                    _part(number, answer.result()) for number, answer in enumerate(answers, start=1)
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


def _part(number: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    checksums = {key: answer[key] for key in answer if key.startswith("Checksum")}
    return {"PartNumber": number, "ETag": answer["ETag"], **checksums}


def _etag(client: "S3Client", at: Mapping[str, Any]) -> str | None:
    try:
        return client.head_object(**at)["ETag"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
