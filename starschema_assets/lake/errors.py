"""What can go wrong between a table and its place in the lake; each message says what to do."""

from starschema_assets.errors import StarschemaError


class LakeError(StarschemaError):
    """A table could not be staged, published or read."""


class LakeBusy(LakeError):  # noqa: N818 - reads as what happened
    """Another run held the lake's lock for longer than STARSCHEMA_LOCK_WAIT."""


class LeaseLost(LakeError):  # noqa: N818
    """The lake's lock passed to another run, so this one must publish nothing more."""


class LakeDenied(LakeError):  # noqa: N818
    """The lake's owner doesn't let these credentials do what was asked."""


class NotPublished(LakeError):  # noqa: N818
    """The table has never been published, or was removed by hand."""


class Unreadable(LakeError):  # noqa: N818
    """What is published at a table's place is no whole Parquet file."""


class NoEarlierVersion(LakeError):  # noqa: N818
    """There is nothing to restore: no earlier version of the table was kept."""


class ColumnRefused(LakeError):  # noqa: N818
    """A column holds what Athena can't, or what its declared type can't hold exactly."""


class SourceInterrupted(LakeError):  # noqa: N818
    """The rows to be written stopped coming."""
