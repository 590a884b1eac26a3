"""The lake as its users see it: stage, audit, publish; the same for a directory and for S3."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from logging import Logger
from pathlib import Path

import pyarrow as pa

from starschema_assets.lake.errors import (
    ColumnRefused,
    LakeError,
    NoEarlierVersion,
    SourceInterrupted,
)
from starschema_assets.lake.parquet import Footer, write_table
from starschema_assets.lake.paths import Table, file_of, name_of

RUN_ID = "run_id"
WRITTEN_AT = "written_at"
"""The entries of a file's metadata that the lake itself needs; the time is ISO 8601, in UTC."""


@dataclass(frozen=True)
class StagedTable:
    """A new version of a table, whole and on disk, that no reader sees yet."""

    table: Table
    path: Path
    """A local Parquet file to audit."""
    rows: int
    bytes: int
    metadata: Mapping[str, str]


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


class Lease(ABC):
    """The right to publish, held by one run at a time."""

    @abstractmethod
    def verify(self) -> None:
        """Return if this run still holds the lake's lock, else raise LeaseLost."""


class Lake(ABC):
    """Published tables below `<lake>/<stage>/`; all else is out of readers' sight."""

    @abstractmethod
    def uri(self, table: Table) -> str:
        """Where the table is published, whether or not it is there yet."""

    @abstractmethod
    def lock(self, holder: str, log: Logger) -> AbstractContextManager[Lease]:
        """Hold the lake for one writer; what it staged and did not publish is gone afterwards.

        `holder` is what others are told while they wait, e.g. `run 1a2b3c4d`. Raises LakeBusy
        after STARSCHEMA_LOCK_WAIT seconds. A holder that dies blocks the next one for 30 s at most.
        """

    def stage(
        self,
        table: Table,
        reader: pa.RecordBatchReader,
        *,
        schema: pa.Schema | None,
        metadata: Mapping[str, str],
        sorted_by: Sequence[str] = (),
    ) -> StagedTable:
        """Write a new version where no reader looks; only while holding the lock.

        `metadata` goes into the file and must have `run_id` and `written_at` (ISO 8601, UTC).
        Raises ColumnRefused and SourceInterrupted; what else the reader raises passes as it is,
        with a note that names the table.
        """
        if missing := {RUN_ID, WRITTEN_AT} - set(metadata):
            raise LakeError(f"{name_of(table)} needs {', '.join(sorted(missing))} as metadata.")
        path = self._staging_folder(table) / file_of(table)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _explained(table, path):
            rows = write_table(path, reader, schema=schema, metadata=metadata, sorted_by=sorted_by)
        return StagedTable(table, path, rows, path.stat().st_size, dict(metadata))

    @abstractmethod
    def upload(self, staged: StagedTable) -> None:
        """Do the slow part of publishing, still unseen by readers."""

    @abstractmethod
    def publish(self, staged: StagedTable, lease: Lease) -> Published:
        """Replace the published version by the uploaded one, in one atomic step."""

    @abstractmethod
    def fetch(self, table: Table) -> Path:
        """A local file with the whole of the version that is published now.

        It may be removed when the lake is closed. Raises NotPublished.
        """

    @abstractmethod
    def footer(self, table: Table) -> Footer:
        """Schema, row count and metadata of the published version. Raises NotPublished."""

    @abstractmethod
    def tables(self, stage: str) -> list[Table]:
        """The published tables of a stage, by name."""

    @abstractmethod
    def versions(self, table: Table) -> Iterator[Version]:
        """The versions still held, the one published last first."""

    @abstractmethod
    def restore(self, table: Table, version: Version, lease: Lease) -> Published:
        """Publish an earlier version again, atomically; it keeps its run id and written_at."""

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
