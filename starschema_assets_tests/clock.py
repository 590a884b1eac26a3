"""Sets the time of snapshots in tests; there is no setting for it."""

from datetime import datetime

from starschema_assets.source.mysql import MySQL


def set_clock(moment: datetime) -> None:
    """Give this time to every snapshot in this process."""
    MySQL.now = lambda self: moment  # type: ignore[method-assign]  # noqa: ARG005
