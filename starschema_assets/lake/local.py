"""The lake as a directory: publishing is a rename, and earlier versions are hard links."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging import Logger
from pathlib import Path

from filelock import FileLock, Timeout

from starschema_assets.lake.errors import LakeBusy, LakeError, LeaseLost, NotPublished
from starschema_assets.lake.lake import (
    Lake,
    Lease,
    Published,
    StagedTable,
    Version,
)
from starschema_assets.lake.local_history import History
from starschema_assets.lake.parquet import Footer, read_footer, sync
from starschema_assets.lake.paths import Table, file_of, name_of, page_of, table_of
from starschema_assets.lake.scratch import Scratch, sweep
from starschema_assets.settings import Settings

_POLL = 0.1


class LocalLease(Lease):
    """A lock on one file, released by the system when its process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        """`file` is locked by this process."""
        self._file = file
        self._inode = file.stat().st_ino

    def verify(self) -> None:
        """Raise LeaseLost if the lock file was removed or replaced, so that others can lock it."""
        if not self._file.exists() or self._file.stat().st_ino != self._inode:
            raise LeaseLost(f"{self._file} was removed while a run held it: run again.")


class LocalLake(Lake):
    """Tables below `root`; the lake's own files are in `_lock`, `_staging` and `_history`."""

    def __init__(self, root: Path, settings: Settings) -> None:
        """Nothing is made before something is written."""
        self._root = root
        self._settings = settings
        self._staging: Scratch | None = None

    def uri(self, table: Table) -> str:
        """The file's path."""
        return str(self._file(table))

    @contextmanager
    def lock(self, holder: str, log: Logger) -> Iterator[Lease]:
        """Hold `_lock`; the staging folders of killed runs are removed."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LakeError(f"STARSCHEMA_LAKE_URI: the folder can't be made: {error}") from error
        file = self._root / "_lock"
        with _locked(file, self._settings.lock_wait, log):
            file.write_text(f"{holder}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            for folder in sweep(self._root / "_staging"):
                log.info("Removed %s, which a run that was killed had left.", folder)
            self._staging = Scratch(self._root / "_staging")
            try:
                yield LocalLease(file)
            finally:
                self._staging.close()
                self._staging = None

    def upload(self, staged: StagedTable) -> None:
        """Nothing: the staged file is where it can be renamed from."""

    def publish(self, staged: StagedTable, lease: Lease) -> Published:
        """Keep the current version, then rename the staged file over it."""
        file = self._file(staged.table)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lease.verify()
            history = self._history(staged.table)
            history.keep_current()
            staged.path.replace(file)
            sync(file.parent)
            history.prune(self._settings.keep_versions)
        except OSError as error:
            raise LakeError(
                f"{name_of(staged.table)} could not be published to {file}: {error}"
            ) from error
        return Published(staged.table, str(file), staged.bytes)

    def fetch(self, table: Table) -> Path:
        """The published file itself."""
        file = self._file(table)
        if not file.exists():
            raise NotPublished(f"{name_of(table)} is not in {file}: materialize it first.")
        return file

    def footer(self, table: Table) -> Footer:
        """Read from the published file."""
        return read_footer(self.fetch(table))

    def tables(self, stage: str) -> list[Table]:
        """Found by their files."""
        files = (
            f.relative_to(self._root).as_posix() for f in self._root.glob(f"{stage}/**/*.parquet")
        )
        return sorted(table for file in files if (table := table_of(file)))

    def document_uri(self, document: Table) -> str:
        """The file's path."""
        return str(self._root / page_of(document))

    def document_link(self, document: Table) -> str | None:  # noqa: ARG002 - S3 needs it
        """None: no page of a website may link to a file."""
        return None

    def write_document(self, document: Table, html: bytes) -> str:
        """Write beside the page, then rename."""
        file = self._root / page_of(document)
        unfinished = file.with_name("_unfinished.html")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as page:
                page.write(html)
                page.flush()
                os.fsync(page.fileno())
            unfinished.replace(file)
            sync(file.parent)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise LakeError(
                f"{name_of(document)} could not be published to {file}: {error}"
            ) from error
        return str(file)

    def close(self) -> None:
        """Nothing: what was fetched are the published files."""

    def versions(self, table: Table) -> Iterator[Version]:
        """The published file, then those of `_history`."""
        return self._history(table).versions()

    def restore(self, table: Table, version: Version, lease: Lease) -> Published:
        """Publish another link to the version's file."""
        link = self._staging_folder(table) / version.id
        self._history(table).link_to(version, link)
        footer = read_footer(link)
        staged = StagedTable(table, link, footer.rows, version.bytes, footer.metadata)
        return self.publish(staged, lease)

    def _staging_folder(self, table: Table) -> Path:
        if self._staging is None:
            raise LakeError(f"{name_of(table)} can be written only while the lake's lock is held.")
        return self._staging.path

    def _file(self, table: Table) -> Path:
        return self._root / file_of(table)

    def _history(self, table: Table) -> History:
        return History(self._root / "_history" / name_of(table), self._file(table))


@contextmanager
def _locked(file: Path, wait: int, log: Logger) -> Iterator[None]:
    lock = FileLock(file)
    deadline = time.monotonic() + wait
    try:
        with suppress(Timeout):
            lock.acquire(blocking=False)
        if not lock.is_locked:
            log.info("Waiting for the lake: %s is held by %s.", file, file.read_text().strip())
            lock.acquire(timeout=max(0, deadline - time.monotonic()), poll_interval=_POLL)
    except Timeout:
        raise LakeBusy(
            f"{file} is still held after {wait} s by {file.read_text().strip()}: let that run end "
            "and run again, or wait longer with STARSCHEMA_LOCK_WAIT."
        ) from None
    try:
        yield
    finally:
        lock.release()
