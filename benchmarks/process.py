"""Runs a command and measures the resources of its process tree, from /proc and getrusage."""

import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SAMPLE_SECONDS = 0.02
BLOCK_BYTES = 512
"""The unit of getrusage for bytes written to disk."""
MAX_ERROR_CHARACTERS = 300
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Cost:
    """Resources used by one run of a command, including child processes."""

    seconds: float
    peak_bytes: int
    """Largest sum of the resident memory (RSS) of all processes at one time."""
    cpu_seconds: float
    """User and system time."""
    written_bytes: int
    """Bytes written to disk, including temporary files."""
    error: str = ""
    """Cause of a failure, or empty."""


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    timeout: float,
) -> Cost:
    """Run the command in `folder`, and kill it after `timeout`. Its stderr goes to `folder/log`."""
    _adopt_orphans()
    others = set(children(os.getpid()))
    log = folder / "log"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    try:
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        with _Watch(process.pid, began + timeout) as watch:
            code = process.wait()
            seconds = time.perf_counter() - began
    finally:  # also when the benchmark is interrupted
        _end(set(children(os.getpid())) - others)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    error = ""
    if watch.expired:
        error = f"killed after {timeout:.0f} s"
    elif code:
        error = f"exit {code}: {log.read_text(errors='replace').strip()[-MAX_ERROR_CHARACTERS:]}"
    return Cost(
        seconds,
        watch.peak_bytes,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        (after.ru_oublock - before.ru_oublock) * BLOCK_BYTES,
        error,
    )


def cpu_seconds(pid: int) -> float:
    """Return user and system time of one running process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> Iterator[int]:
    """Yield the running child processes of a process."""
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text(encoding="utf-8").split():
                yield int(child)


class _Watch(threading.Thread):
    """Samples the memory of a tree of processes, and kills the tree at a deadline."""

    def __init__(self, root: int, deadline: float) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.expired = False
        self._root = root
        self._deadline = deadline
        self._over = threading.Event()

    def run(self) -> None:
        while not self.expired:
            tree = list(_tree(self._root))
            self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, tree)))
            if self._over.wait(SAMPLE_SECONDS):
                return
            if time.perf_counter() > self._deadline:
                self.expired = True
                _kill(tree)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def _tree(root: int) -> Iterator[int]:
    yield root
    for child in children(root):
        yield from _tree(child)


def _resident_bytes(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]
    except (OSError, IndexError):
        return 0  # it has ended
    return int(pages) * resource.getpagesize()


def _kill(processes: list[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _adopt_orphans() -> None:
    """Make this process the parent of orphaned processes, so that they are measured and killed."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end(orphans: set[int]) -> None:
    for orphan in orphans:
        _kill(list(_tree(orphan)))
        with suppress(ChildProcessError):
            os.waitpid(orphan, 0)
