"""Named points of a refresh, at which a test can stop or kill its process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starschema_assets.contract import Contract
from starschema_assets.lake.lake import Table, file_of, name_of
from starschema_assets.lake.local import LocalLake
from starschema_assets.lake.multipart import Multipart
from starschema_assets.lake.s3 import S3Lake
from starschema_assets.raw import extraction
from starschema_assets.raw.extraction import RawAudit
from starschema_assets.resources import LakeIOManager

Stop = Callable[[], None]
Point = tuple[str, Table]
"""One of POINTS, and the table to which it applies."""


def _in(table: Table, stop: Stop) -> None:
    """Stop when some rows of the raw table have been read."""
    report_progress = extraction.report_progress

    def report(name: str, *arguments: Any) -> Callable[[int], None]:
        return (lambda _: stop()) if name == name_of(table) else report_progress(name, *arguments)

    _replace(extraction, "report_progress", report)


def _before_audit(table: Table, stop: Stop) -> None:
    """Stop when the raw table is staged and not yet audited."""
    audit = RawAudit.version

    def stopped(self: RawAudit, contract: Contract, file: Path) -> Any:
        if contract.path == table:
            stop()
        return audit(self, contract, file)

    _replace(RawAudit, "version", stopped)


def _before_publishing(table: Table, stop: Stop) -> None:
    """Stop when all tables of the stage are uploaded and this one is published next."""
    handle_output = LakeIOManager.handle_output

    def stopped(self: LakeIOManager, context: Any, staged: Any) -> None:
        if staged.table == table:
            stop()
        handle_output(self, context, staged)

    _replace(LakeIOManager, "handle_output", stopped)


def _once_verified(table: Table, stop: Stop) -> None:
    """On S3, stop when the lock has been verified and the table is published next."""
    complete = Multipart.complete

    def stopped(self: Any) -> str:
        if self._at["Key"].endswith(file_of(table)):
            stop()
        return complete(self)

    _replace(Multipart, "complete", stopped)


def _once_published(table: Table, stop: Stop) -> None:
    """Stop when the table is published and Dagster doesn't know it yet."""
    for kind in (LocalLake, S3Lake):
        publish = kind.publish

        def stopped(self: Any, staged: Any, publish: Any = publish) -> Any:
            published = publish(self, staged)
            if staged.table == table:
                stop()
            return published

        _replace(kind, "publish", stopped)


def _replace(owner: object, name: str, function: Callable[..., Any]) -> None:
    """Replace a function permanently. The process is used for one refresh only."""
    setattr(owner, name, function)


POINTS: dict[str, Callable[[Table, Stop], None]] = {
    "in": _in,
    "before the audit": _before_audit,
    "before publishing": _before_publishing,
    "once verified": _once_verified,
    "once published": _once_published,
}
