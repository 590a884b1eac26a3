"""Reads objects below a prefix of a bucket, and translates S3's errors into the lake's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from starschema_assets.aws import code_of
from starschema_assets.lake.errors import LakeDenied, LakeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef

# The IAM action to allow, for operations whose action has another name.
_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject or s3:GetObjectVersion",
    "CompleteMultipartUpload": "PutObject",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
}
_HINTS = {
    "GetObject": ", and s3:ListBucket: without it, S3 also denies access to missing objects.",
}


@dataclass(frozen=True)
class End:
    """The last bytes of one version of an object."""

    etag: str
    version: str | None
    content: bytes


@dataclass(frozen=True)
class Bucket:
    """A bucket with a prefix. Keys include the prefix. Methods raise botocore's errors."""

    client: "S3Client"
    name: str
    prefix: str
    """Empty, or ends with a slash."""

    def end(self, key: str, length: int, version: str | None = None) -> "End | None":
        """Return the last `length` bytes of an object, by default of the current version.

        Returns None if the object doesn't exist. Always a GET, because the response to a HEAD
        doesn't distinguish a missing bucket from a missing key.
        """
        of_version: dict[str, Any] = {"VersionId": version} if version else {}
        try:
            response = self.client.get_object(
                Bucket=self.name, Key=key, Range=f"bytes=-{length}", **of_version
            )
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        with response["Body"] as body:
            return End(response["ETag"], response.get("VersionId"), body.read())

    def keys(self, below: str) -> list[str]:
        """Return the keys that start with `below`."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=below
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def versions(self, key: str) -> Iterator["ObjectVersionTypeDef"]:
        """Yield the object's versions, newest first. Without versioning, there is at most one."""
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.name, Prefix=key
        )
        for page in pages:
            yield from (found for found in page.get("Versions", []) if found["Key"] == key)

    def metadata(self, key: str, version: str) -> dict[str, str]:
        """Return the user metadata of a version."""
        return self.client.head_object(Bucket=self.name, Key=key, VersionId=version)["Metadata"]

    def keeps_versions(self) -> bool:
        """Return whether versioning is enabled."""
        return self.client.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled"

    def uploads(self) -> list[dict[str, Any]]:
        """Return `Key` and `UploadId` of unfinished multipart uploads."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.name, Prefix=self.prefix
        )
        return [
            {"Key": found["Key"], "UploadId": found["UploadId"]}
            for page in pages
            for found in page.get("Uploads", [])
        ]

    def abort(self, upload: dict[str, Any]) -> None:
        """Abort an upload and delete its parts."""
        self.client.abort_multipart_upload(Bucket=self.name, **upload)


@contextmanager
def clear_errors(bucket: str, key: str, doing: str) -> Iterator[None]:
    """Turn errors of S3 and the network into LakeError; `doing` is e.g. `star/x: publishing`.

    A caller that handles an error code itself must catch the error within this context.
    """
    place = f"s3://{bucket}/{key}"
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        operation = error.operation_name
        if code == "NoSuchBucket":
            raise LakeError(
                f"{doing}: there is no bucket {bucket!r} for {place}: "
                "create it, or correct STARSCHEMA_LAKE_URI."
            ) from error
        if code in {"InvalidAccessKeyId", "SignatureDoesNotMatch"}:
            raise LakeDenied(f"{doing}: {place} returned {code}: check the credentials.") from error
        if code in {"AccessDenied", "403"}:
            action = _ACTIONS.get(operation, operation)
            raise LakeDenied(
                f"{doing}: {place} returned {code}: allow s3:{action} to these credentials"
                f"{_HINTS.get(operation, '.')}"
            ) from error
        raise LakeError(f"{doing}: {operation} on {place} returned {code}: {error}") from error
    except BotoCoreError as error:
        raise LakeError(
            f"{doing}: {place} can't be reached, or credentials are missing: {error}"
        ) from error


def is_missing(error: ClientError) -> bool:
    """Return whether the error says that the object (not the bucket) doesn't exist."""
    return code_of(error) in {"NoSuchKey", "NoSuchVersion", "404"}


def is_conflict(error: ClientError) -> bool:
    """Return whether a conditional request failed because another writer changed the object."""
    return code_of(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
