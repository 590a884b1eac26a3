"""Temporary folders. Each process removes those that killed processes have left."""

import shutil
import uuid
import weakref
from pathlib import Path

from filelock import FileLock, Timeout


class Scratch:
    """A new folder below `parent`, removed by `close`, at exit, or by another process's `sweep`.

    A file lock beside the folder shows that its process is running. The system releases the lock
    when the process ends.
    """

    def __init__(self, parent: Path) -> None:
        """Create the folder. The lock is acquired first."""
        parent.mkdir(parents=True, exist_ok=True)
        self.path = parent / uuid.uuid4().hex
        lock = FileLock(_lock_of(self.path))
        lock.acquire()
        self.path.mkdir()
        self.close = weakref.finalize(self, _remove, self.path, lock)


def sweep(parent: Path) -> list[Path]:
    """Remove the folders of ended processes below `parent`, and return their paths."""
    swept = []
    for lock_file in sorted(parent.glob("*.lock")):
        lock = FileLock(lock_file)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue  # its process is running
        folder = lock_file.with_suffix("")
        _remove(folder, lock)
        swept.append(folder)
    return swept


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")
