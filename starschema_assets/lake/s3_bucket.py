"""The objects below a prefix of one bucket, in the words of S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from starschema_assets.lake.s3_client import is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef


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

    def end(self, key: str, length: int) -> "End | None":
        """An object's last bytes, or the whole of a shorter one; None if there is no object.

        GET also where HEAD would do, because its answer tells a missing bucket from a missing key.
        """
        try:
            answer = self.client.get_object(Bucket=self.name, Key=key, Range=f"bytes=-{length}")
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
