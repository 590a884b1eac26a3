"""The connection to S3, and its refusals in one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from starschema_assets.lake.errors import LakeDenied, LakeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS = 8
"""With botocore's back-off of up to 20 s: outlives a burst of `503 SlowDown`. In a longer one
botocore's quota of retries, which all requests of a client share, ends the run."""

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


def connect(session: boto3.Session, *, attempts: int = ATTEMPTS, timeout: int = 60) -> "S3Client":
    """A client by the usual AWS variables and files, AWS_ENDPOINT_URL among them.

    `timeout` is in seconds without a byte; the client may be shared by threads.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=min(timeout, 10),
        read_timeout=timeout,
    )
    return session.client("s3", config=config)


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


def code_of(error: ClientError) -> str:
    """S3's name of the error, e.g. `NoSuchKey`; an answer to HEAD has just its status."""
    return error.response.get("Error", {}).get("Code", "unknown")


def is_missing(error: ClientError) -> bool:
    """Whether the object (not the bucket) isn't there."""
    return code_of(error) in {"NoSuchKey", "NoSuchVersion", "404"}


def is_conflict(error: ClientError) -> bool:
    """Whether a condition on the object's current version failed: someone else was faster."""
    return code_of(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
