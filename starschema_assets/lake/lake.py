"""The lake as its users see it: stage, audit, publish; the same for a directory and for S3."""

import json
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import Logger
from pathlib import Path
from typing import Any

import pyarrow as pa

from starschema_assets.lake.errors import LakeError, NoEarlierVersion, SourceInterrupted
from starschema_assets.lake.parquet import Footer, read_footer, write_table
from starschema_assets.settings import Settings
from starschema_assets.types import ColumnRefused

Table = tuple[str, ...]
"""A table's asset path, e.g. `("star", "sales")`."""
RUN_ID = "run_id"
WRITTEN_AT = "written_at"
"""The entries that the lake adds to a file's metadata; the time is ISO 8601, in UTC."""

# A name that begins with an underscore is hidden from readers: the lake's own files go there.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def name_of(table: Table) -> str:
    """The asset path as it is written: `star/sales`."""
    return "/".join(table)


def file_of(table: Table, suffix: str = "parquet") -> str:
    """The table's one file, in a folder of its own: `star/sales/sales.parquet`."""
    if len(table) < 2 or not all(_PART.fullmatch(part) for part in table):  # noqa: PLR2004
        raise LakeError(
            f"{name_of(table)!r} can't be a table of the lake: give it a stage and a name, such as "
            "star/sales, of letters, digits, '_', '-' and '.', not beginning with '_'."
        )
    return f"{name_of(table)}/{table[-1]}.{suffix}"


def table_of(file: str) -> Table | None:
    """The table whose file this is, or None if it is no table's file."""
    *table, last = file.split("/")
    is_file = len(table) > 1 and last == f"{table[-1]}.parquet"
    return tuple(table) if is_file and all(map(_PART.fullmatch, table)) else None


def snapshots_of(entries: Mapping[str, str]) -> list[str]:
    """The snapshots of the source that a file's rows come from, the oldest first."""
    if "snapshot" in entries:
        return [entries["snapshot"]]
    return sorted(set(mapping_of(entries, "raw_snapshots").values()))


def taken_at(snapshot: str) -> datetime:
    """When a snapshot was taken. Raises ValueError for what names none."""
    return datetime.strptime(snapshot.partition("-")[0], "%Y%m%dT%H%M%S.%f%z")


def mapping_of(entries: Mapping[str, str], name: str) -> dict[str, Any]:
    """An entry that was written as JSON, by column or table; none is empty."""
    mapping: dict[str, Any] = json.loads(entries.get(name, "{}"))
    return mapping


@dataclass(frozen=True)
class StagedTable:
    """A new version of a table, whole and on disk, that no reader sees yet."""

    table: Table
    path: Path
    """A local Parquet file to audit."""
    rows: int
    bytes: int
    metadata: Mapping[str, str]
    lake: "Lake" = field(repr=False)
    """The lake that staged it, and that publishes it."""


@dataclass(frozen=True)
class Published:
    """Where a version was put, and how large it is."""

    table: Table
    uri: str
    bytes: int


@dataclass(frozen=True)
class Version:
    """One version of a table that the lake still holds."""

    id: str
    run_id: str
    written_at: datetime
    bytes: int
    is_current: bool


class Lake(ABC):
    """Published tables below `<lake>/<stage>/`; all else is out of readers' sight."""

    @abstractmethod
    def uri(self, table: Table) -> str:
        """Where the table is published, whether or not it is there yet."""

    @abstractmethod
    def lock(self, holder: str, log: Logger) -> AbstractContextManager[None]:
        """Hold the lake for one writer; what it staged and did not publish is gone afterwards.

        `holder` is what others are told while they wait, e.g. `run 1a2b3c4d`. Raises LakeBusy
        after STARSCHEMA_LOCK_WAIT seconds. A holder that dies blocks the next one for 30 s at most.
        """

    def stage(  # noqa: PLR0913 - all by name but two
        self,
        table: Table,
        reader: pa.RecordBatchReader,
        run_id: str,
        *,
        metadata: Mapping[str, str] | None = None,
        sorted_by: Sequence[str] = (),
        digest: bool = False,
    ) -> StagedTable:
        """Write a new version where no reader looks; only while holding the lock.

        `metadata` goes into the file, with `run_id` and the time. Raises ColumnRefused and
        SourceInterrupted; what else the reader raises passes as it is, with a note that names the
        table. With `digest`, one of the rows is added to the metadata.
        """
        entries = {RUN_ID: run_id, WRITTEN_AT: datetime.now(UTC).isoformat(), **(metadata or {})}
        path = self._staging_folder(table) / file_of(table)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _explained(table, path):
            rows = write_table(path, reader, metadata=entries, sorted_by=sorted_by, digest=digest)
        entries = dict(read_footer(path).metadata)
        return StagedTable(table, path, rows, path.stat().st_size, entries, self)

    @abstractmethod
    def upload(self, staged: StagedTable) -> None:
        """Do the slow part of publishing, still unseen by readers."""

    @abstractmethod
    def publish(self, staged: StagedTable) -> Published:
        """Replace the published version by the uploaded one, in one atomic step.

        Raises LeaseLost if another run has taken the lock meanwhile.
        """

    @abstractmethod
    def fetch(self, table: Table, version: Version | None = None) -> Path:
        """A local file with the whole of a version, by default of the one that is published now.

        It may be removed when the lake is closed; that of an earlier version when another one of
        the table is fetched. Raises NotPublished.
        """

    @abstractmethod
    def footer(self, table: Table, version: Version | None = None) -> Footer:
        """Schema, row count and metadata of such a version. Raises NotPublished."""

    @abstractmethod
    def tables(self, stage: str) -> list[Table]:
        """The published tables of a stage, by name."""

    @abstractmethod
    def versions(self, table: Table) -> Iterator[Version]:
        """The versions still held, the one published last first."""

    @abstractmethod
    def restore(self, table: Table, version: Version) -> Published:
        """Publish an earlier version again, atomically; it keeps its run id and written_at.

        Only while holding the lock. Raises LeaseLost.
        """

    @abstractmethod
    def forget(self, table: Table) -> None:
        """Take the published version out; it stays among those held. Only while locked."""

    @abstractmethod
    def document_uri(self, document: Table) -> str:
        """Where a page for readers is, in a folder beside those of the tables."""

    @abstractmethod
    def document_link(self, document: Table) -> str | None:
        """The address at which a browser shows the page; None if it is a plain file."""

    @abstractmethod
    def write_document(self, document: Table, html: bytes) -> str:
        """Put a page there, or replace it, in one atomic step that needs no lock; its URI."""

    @abstractmethod
    def close(self) -> None:
        """Remove what was downloaded, and end connections."""

    def previous(self, table: Table) -> Version:
        """The version to go back to: published before the current one, and written before it.

        Written before it too, so that restoring twice goes back two versions instead of putting
        the bad one back.
        """
        versions = iter(self.versions(table))
        current = next((version for version in versions if version.is_current), None)
        if current is None:
            versions = iter(self.versions(table))
        for version in versions:
            if current is None or version.written_at < current.written_at:
                return version
        raise NoEarlierVersion(
            f"{name_of(table)} has no earlier version in {self.uri(table)} to go back to."
        )

    @abstractmethod
    def _staging_folder(self, table: Table) -> Path:
        """A local folder that no reader looks into. Raises LakeError if the lock isn't held."""


@contextmanager
def _explained(table: Table, path: Path) -> Iterator[None]:
    """Remove the file if it can't be written, and say which table it was."""
    try:
        yield
    except (ColumnRefused, SourceInterrupted) as error:
        path.unlink(missing_ok=True)
        raise type(error)(f"{name_of(table)}: {error}") from error
    except OSError as error:
        path.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free // 2**20
        raise LakeError(
            f"{name_of(table)} could not be written to {path} ({free} MiB free): {error}"
        ) from error
    except BaseException as error:
        path.unlink(missing_ok=True)
        error.add_note(f"while staging {name_of(table)}")
        raise


def open_lake(settings: Settings) -> Lake:
    """A lake on S3 if STARSCHEMA_LAKE_URI begins with `s3://`, else in that directory."""
    # Here, since both import this module, and boto3 takes a third of a second.
    if settings.s3_lake:
        from starschema_assets.lake.s3 import S3Lake  # noqa: PLC0415

        return S3Lake(*settings.s3_lake, settings)
    from starschema_assets.lake.local import LocalLake  # noqa: PLC0415

    return LocalLake(Path(settings.lake_uri).absolute(), settings)
