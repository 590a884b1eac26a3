"""Errors of reading and writing the lake. Each message says what to do."""

from starschema_assets.errors import StarschemaError


class LakeError(StarschemaError):
    """A table could not be staged, published or read."""


class LakeBusy(LakeError):  # noqa: N818 - named after the event
    """Another run held the lake's lock for longer than STARSCHEMA_LOCK_WAIT."""


class LeaseLost(LakeError):  # noqa: N818
    """Another run has taken over the lake's lock, so this run must not publish any more."""


class LakeDenied(LakeError):  # noqa: N818
    """The lake's owner doesn't allow the operation for these credentials."""


class NotPublished(LakeError):  # noqa: N818
    """The table has never been published, or was deleted."""


class Unreadable(LakeError):  # noqa: N818
    """The published file is not a complete Parquet file."""


class NoEarlierVersion(LakeError):  # noqa: N818
    """The lake holds no earlier version of the table that could be restored."""


class ColumnRefused(LakeError):  # noqa: N818
    """A column has a type or a value that Athena or its declared type can't store exactly."""


class SourceInterrupted(LakeError):  # noqa: N818
    """Reading the rows to be written failed before the last row."""
