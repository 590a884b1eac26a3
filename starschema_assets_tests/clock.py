"""The moment at which tests let a snapshot of a server be taken; no setting does that."""

from datetime import datetime

from starschema_assets.source.mysql import MySQL


def set_clock(moment: datetime) -> None:
    """Let every snapshot that this process takes be of this moment."""
    MySQL.now = lambda self: moment  # type: ignore[method-assign]  # noqa: ARG005
