"""Earlier versions of a table in a local lake: hard links to files that were published once."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from starschema_assets.lake.lake import RUN_ID, WRITTEN_AT, Version
from starschema_assets.lake.parquet import read_footer, sync

_WHEN = "%Y%m%dT%H%M%S.%fZ"


class History:
    """The versions of one table, in one folder, named by when each ceased to be the current one."""

    def __init__(self, folder: Path, current: Path) -> None:
        """`current` is where the table is published."""
        self._folder = folder
        self._current = current

    def versions(self) -> Iterator[Version]:
        """The current version, then those that were, the last one first."""
        if self._current.exists():
            yield _version("current", self._current, is_current=True)
        for kept in self._kept():
            if not self._is_current(kept):
                yield _version(kept.name, kept, is_current=False)

    def keep_current(self) -> None:
        """Link the current version into the folder; it stays published until it is replaced."""
        if not self._current.exists():
            return
        self._forget_current()  # linked already, by a run that was then killed
        self._folder.mkdir(parents=True, exist_ok=True)
        run = read_footer(self._current).metadata.get(RUN_ID, "unknown")
        _link(self._current, self._folder / f"{datetime.now(UTC).strftime(_WHEN)}-{run}.parquet")

    def link_to(self, version: Version, target: Path) -> None:
        """Make another name for an earlier version's file."""
        _link(self._folder / version.id, target)

    def prune(self, count: int) -> None:
        """Leave just so many earlier versions."""
        self._forget_current()  # it was one of them until it was restored
        for kept in self._kept()[count:]:
            kept.unlink()

    def _forget_current(self) -> None:
        for kept in self._kept():
            if self._is_current(kept):
                kept.unlink()

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"), reverse=True)

    def _is_current(self, kept: Path) -> bool:
        return self._current.exists() and kept.samefile(self._current)


def _link(source: Path, target: Path) -> None:
    """Give the file a second name, or copy it where the file system has no hard links."""
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
