"""The objects below a prefix of one bucket, and S3's errors as those of the lake."""

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

# The action that a policy has to allow, where it isn't called as the operation is.
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
    "GetObject": ", and s3:ListBucket, without which it answers so for what doesn't exist, too.",
}


@dataclass(frozen=True)
class End:
    """The last bytes of one version of an object."""

    etag: str
    version: str | None
    content: bytes


@dataclass(frozen=True)
class Bucket:
    """Keys are full keys, prefix included; errors are those of botocore."""

    client: "S3Client"
    name: str
    prefix: str
    """Empty, or ending in a slash."""

    def end(self, key: str, length: int, version: str | None = None) -> "End | None":
        """An object's last bytes, or the whole of a shorter one; None if there is no object.

        It is the current version unless told. GET also where HEAD would do, because its answer
        tells a missing bucket from a missing key.
        """
        of_version: dict[str, Any] = {"VersionId": version} if version else {}
        try:
            answer = self.client.get_object(
                Bucket=self.name, Key=key, Range=f"bytes=-{length}", **of_version
            )
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        with answer["Body"] as body:
            return End(answer["ETag"], answer.get("VersionId"), body.read())

    def keys(self, below: str) -> list[str]:
        """The keys that begin so."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=below
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def versions(self, key: str) -> Iterator["ObjectVersionTypeDef"]:
        """The object's versions, newest first; without versioning the one there is."""
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.name, Prefix=key
        )
        for page in pages:
            yield from (found for found in page.get("Versions", []) if found["Key"] == key)

    def metadata(self, key: str, version: str) -> dict[str, str]:
        """What was said of that version when it was uploaded."""
        return self.client.head_object(Bucket=self.name, Key=key, VersionId=version)["Metadata"]

    def keeps_versions(self) -> bool:
        """Whether an object that is replaced is kept."""
        return self.client.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled"

    def uploads(self) -> list[dict[str, Any]]:
        """Multipart uploads begun and neither completed nor aborted: `Key` and `UploadId`."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.name, Prefix=self.prefix
        )
        return [
            {"Key": found["Key"], "UploadId": found["UploadId"]}
            for page in pages
            for found in page.get("Uploads", [])
        ]

    def abort(self, upload: dict[str, Any]) -> None:
        """Forget the parts of an upload."""
        self.client.abort_multipart_upload(Bucket=self.name, **upload)


@contextmanager
def clear_errors(bucket: str, key: str, doing: str) -> Iterator[None]:
    """Turn what S3 or the network answers into a LakeError; `doing` is e.g. `star/x: publishing`.

    An error that the caller knows by its code is for it to catch inside.
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
        if code in {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"}:
            action = _ACTIONS.get(operation, operation)
            raise LakeDenied(
                f"{doing}: {place} answers {code}: allow s3:{action} to these credentials"
                f"{_HINTS.get(operation, '.')}"
            ) from error
        raise LakeError(f"{doing}: {place} answers {operation} with {code}: {error}") from error
    except BotoCoreError as error:
        raise LakeError(f"{doing}: {place} can't be reached or signed for: {error}") from error


def is_missing(error: ClientError) -> bool:
    """Whether the object (not the bucket) isn't there."""
    return code_of(error) in {"NoSuchKey", "NoSuchVersion", "404"}


def is_conflict(error: ClientError) -> bool:
    """Whether a condition on the object's current version failed: someone else was faster."""
    return code_of(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
