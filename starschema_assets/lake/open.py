"""Open the lake that the settings name."""

from pathlib import Path

from starschema_assets.lake.lake import Lake
from starschema_assets.lake.local import LocalLake
from starschema_assets.settings import Settings


def open_lake(settings: Settings) -> Lake:
    """A lake on S3 if STARSCHEMA_LAKE_URI begins with `s3://`, else in that directory."""
    if settings.s3_lake:
        # boto3 takes a third of a second to import, which a local lake doesn't need to spend.
        from starschema_assets.lake.s3 import S3Lake  # noqa: PLC0415

        return S3Lake(*settings.s3_lake, settings)
    return LocalLake(Path(settings.lake_uri).absolute(), settings)
