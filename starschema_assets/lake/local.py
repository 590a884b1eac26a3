"""A lake in a directory. Publishing renames a file; earlier versions are kept as hard links."""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging import Logger
from pathlib import Path

from filelock import FileLock, Timeout

from starschema_assets.lake.errors import LakeBusy, LakeError, LeaseLost, NotPublished, Unreadable
from starschema_assets.lake.lake import (
    RUN_ID,
    WRITTEN_AT,
    Lake,
    Published,
    StagedTable,
    Table,
    Version,
    file_of,
    name_of,
    table_of,
)
from starschema_assets.lake.parquet import Footer, read_footer, sync
from starschema_assets.settings import Settings

_POLL = 0.1
_WHEN = "%Y%m%dT%H%M%S.%fZ"


class LocalLake(Lake):
    """Tables below `root`. Internal files are in `_lock`, `_staging` and `_history`."""

    def __init__(self, root: Path, settings: Settings) -> None:
        """Create no folder yet. The first write creates it."""
        self._root = root
        self._settings = settings
        self._lock = root / "_lock"
        self._inode: int | None = None
        """The lock file's inode number while this process holds the lock."""
        self._staging = root / "_staging" / uuid.uuid4().hex

    def uri(self, table: Table) -> str:
        return str(self._file(table))

    @contextmanager
    def lock(self, holder: str, log: Logger) -> Iterator[None]:
        """Hold the file lock `_lock`. The system releases it when the process ends or is killed."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LakeError(f"STARSCHEMA_LAKE_URI: can't create the folder: {error}") from error
        with _locked(self._lock, self._settings.lock_wait, log):
            self._lock.write_text(f"{holder}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            for folder in self._staging.parent.glob("*"):
                shutil.rmtree(folder, ignore_errors=True)
                log.info("Removed %s, left over from a killed run.", folder)
            self._inode = self._lock.stat().st_ino
            try:
                yield
            finally:
                self._inode = None
                shutil.rmtree(self._staging, ignore_errors=True)

    def upload(self, staged: StagedTable) -> None:
        """Do nothing. `publish` renames the staged file."""

    def publish(self, staged: StagedTable) -> Published:
        """Keep a link to the current version, then rename the staged file over it."""
        file = self._file(staged.table)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._verify_held()
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

    def fetch(self, table: Table, version: Version | None = None) -> Path:
        """Return the published or kept file itself, not a copy."""
        file = self._file(table)
        if version and not version.is_current:
            file = self._history(table).folder / version.id
        if not file.exists():
            raise NotPublished(f"{name_of(table)} is not in {file}: materialize it first.")
        return file

    def footer(self, table: Table, version: Version | None = None) -> Footer:
        return read_footer(self.fetch(table, version))

    def tables(self, stage: str) -> list[Table]:
        files = self._root.glob(f"{stage}/**/*.parquet")
        found = (table_of(file.relative_to(self._root).as_posix()) for file in files)
        return sorted(filter(None, found))

    def document_uri(self, document: Table) -> str:
        return str(self._root / file_of(document, "html"))

    def document_link(self, document: Table) -> str | None:  # noqa: ARG002 - used on S3
        """Return None, because browsers don't follow links from web pages to local files."""
        return None

    def write_document(self, document: Table, html: bytes) -> str:
        """Write the page to a file in the same folder, then rename it."""
        file = self._root / file_of(document, "html")
        unfinished = file.with_name("_unfinished.html")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(html)
            sync(unfinished)
            unfinished.replace(file)
            sync(file.parent)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise LakeError(
                f"{name_of(document)} could not be published to {file}: {error}"
            ) from error
        return str(file)

    def close(self) -> None:
        """Do nothing. `fetch` makes no copies."""

    def versions(self, table: Table) -> Iterator[Version]:
        return self._history(table).versions()

    def restore(self, table: Table, version: Version) -> Published:
        """Publish a new hard link to the version's file."""
        link = self._staging_folder(table) / version.id
        link.parent.mkdir(parents=True, exist_ok=True)
        _link(self._history(table).folder / version.id, link)
        footer = read_footer(link)
        staged = StagedTable(table, link, footer.rows, version.bytes, footer.metadata, self)
        return self.publish(staged)

    def forget(self, table: Table) -> None:
        """Link the version into `_history`, then delete the published file."""
        self._staging_folder(table)  # raises if the lock isn't held
        file = self.fetch(table)
        self._history(table).keep_current()
        file.unlink()
        sync(file.parent)

    def _staging_folder(self, table: Table) -> Path:
        if self._inode is None:
            raise LakeError(f"{name_of(table)} can be written only while the lake's lock is held.")
        return self._staging

    def _verify_held(self) -> None:
        """Raise LeaseLost if the lock file was deleted or replaced. Others can lock a new file."""
        if not self._lock.exists() or self._lock.stat().st_ino != self._inode:
            raise LeaseLost(
                f"{self._lock} was deleted while this run held it: start this run again."
            )

    def _file(self, table: Table) -> Path:
        return self._root / file_of(table)

    def _history(self, table: Table) -> "EarlierVersions":
        return EarlierVersions(self._root / "_history" / name_of(table), self._file(table))


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
            f"{file} is still held after {wait} s by {file.read_text().strip()}: start this run "
            "again when that run has ended, or increase STARSCHEMA_LOCK_WAIT."
        ) from None
    try:
        yield
    finally:
        lock.release()


class EarlierVersions:
    """Versions of one table: hard links in a folder, named after the time of replacement."""

    def __init__(self, folder: Path, current: Path) -> None:
        """Create nothing yet. `current` is the path of the published file."""
        self.folder = folder
        self._current = current

    def versions(self) -> Iterator[Version]:
        """Yield the current version, then the earlier ones, the most recent first."""
        if self._current.exists():
            yield _version("current", self._current, is_current=True)
        for kept in self._kept():
            if not self._is_current(kept):
                yield _version(kept.name, kept, is_current=False)

    def keep_current(self) -> None:
        """Link the current version into the folder. It stays published."""
        if not self._current.exists():
            return
        try:
            run = read_footer(self._current).metadata.get(RUN_ID, "unknown")
        except Unreadable:
            return  # a damaged file isn't worth restoring
        self._forget_current()  # if a run that was killed has linked it already
        self.folder.mkdir(parents=True, exist_ok=True)
        _link(self._current, self.folder / f"{datetime.now(UTC).strftime(_WHEN)}-{run}.parquet")

    def prune(self, count: int) -> None:
        """Delete all but the `count` most recent earlier versions."""
        self._forget_current()  # a restored version is still linked in the folder
        for kept in self._kept()[count:]:
            kept.unlink()

    def _forget_current(self) -> None:
        for kept in self._kept():
            if self._is_current(kept):
                kept.unlink()

    def _kept(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"), reverse=True)

    def _is_current(self, kept: Path) -> bool:
        return self._current.exists() and kept.samefile(self._current)


def _link(source: Path, target: Path) -> None:
    """Create a hard link, or copy the file if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
        sync(target)


def _version(name: str, file: Path, *, is_current: bool) -> Version:
    metadata = read_footer(file).metadata
    status = file.stat()
    changed = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
    return Version(
        id=name,
        run_id=metadata.get(RUN_ID, "unknown"),
        written_at=datetime.fromisoformat(metadata.get(WRITTEN_AT, changed)),
        bytes=status.st_size,
        is_current=is_current,
    )
