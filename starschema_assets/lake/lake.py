"""The interface of the lake: stage, publish, restore. A directory and S3 implement it."""

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
"""The entries that the lake adds to a file's metadata. The time is ISO 8601, in UTC."""

# Athena ignores names that start with an underscore. The lake uses such names for internal files.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def name_of(table: Table) -> str:
    """Return the asset path as text, e.g. `star/sales`."""
    return "/".join(table)


def file_of(table: Table, suffix: str = "parquet") -> str:
    """Return the path of the table's file in the lake, e.g. `star/sales/sales.parquet`."""
    if len(table) < 2 or not all(_PART.fullmatch(part) for part in table):  # noqa: PLR2004
        raise LakeError(
            f"{name_of(table)!r} is not a valid table name: use a stage and a name, such as "
            "star/sales. Both start with a letter or digit; '_', '-' and '.' may follow."
        )
    return f"{name_of(table)}/{table[-1]}.{suffix}"


def table_of(file: str) -> Table | None:
    """Return the table that the file belongs to, or None if it isn't a table's file."""
    *table, last = file.split("/")
    is_file = len(table) > 1 and last == f"{table[-1]}.parquet"
    return tuple(table) if is_file and all(map(_PART.fullmatch, table)) else None


def snapshots_of(entries: Mapping[str, str]) -> list[str]:
    """Return the ids of the source snapshots that a file was built from, oldest first."""
    if "snapshot" in entries:
        return [entries["snapshot"]]
    return sorted(set(mapping_of(entries, "raw_snapshots").values()))


def taken_at(snapshot: str) -> datetime:
    """Return when a snapshot was taken. Raises ValueError for an invalid snapshot id."""
    return datetime.strptime(snapshot.partition("-")[0], "%Y%m%dT%H%M%S.%f%z")


def mapping_of(entries: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return a metadata entry: a JSON object, keyed by column or table. {} if it is missing."""
    mapping: dict[str, Any] = json.loads(entries.get(name, "{}"))
    return mapping


@dataclass(frozen=True)
class StagedTable:
    """A new, complete version of a table on the local disk. Readers don't see it yet."""

    table: Table
    path: Path
    """The local Parquet file that the checks read."""
    rows: int
    bytes: int
    metadata: Mapping[str, str]
    lake: "Lake" = field(repr=False)
    """The lake that staged this version and can publish it."""


@dataclass(frozen=True)
class Published:
    """Location and size of a version that was published."""

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
    """Published tables and HTML pages. Readers see nothing else."""

    @abstractmethod
    def uri(self, table: Table) -> str:
        """Return the location of the published table. The table may not exist yet."""

    @abstractmethod
    def lock(self, holder: str, log: Logger) -> AbstractContextManager[None]:
        """Hold the lock for one writer. At the end, staged but unpublished versions are deleted.

        Waiting runs log `holder`, e.g. `run 1a2b3c4d`. Raises LakeBusy after STARSCHEMA_LOCK_WAIT
        seconds. If the holder's process is killed, the lock expires within 30 s.
        """

    def stage(  # noqa: PLR0913 - most by keyword
        self,
        table: Table,
        reader: pa.RecordBatchReader,
        run_id: str,
        *,
        metadata: Mapping[str, str] | None = None,
        sorted_by: Sequence[str] = (),
        digest: bool = False,
    ) -> StagedTable:
        """Write a new version to a folder that readers don't see. The lock must be held.

        `metadata`, `run_id` and the time are written into the file, with `digest` also a digest of
        the rows. Raises ColumnRefused, SourceInterrupted, and LakeError for
        an OSError. Other exceptions of the reader get a note that names the table.
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
        """Transfer the file, which is the slow part of publishing. Readers don't see it yet."""

    @abstractmethod
    def publish(self, staged: StagedTable) -> Published:
        """Replace the published version with the uploaded one, atomically.

        Raises LeaseLost if another run has taken the lock in the meantime.
        """

    @abstractmethod
    def fetch(self, table: Table, version: Version | None = None) -> Path:
        """Return a local file with a complete version, by default the published one.

        The file may be deleted when the lake is closed. The file of an earlier version may be
        replaced when another version of the table is fetched. Raises NotPublished.
        """

    @abstractmethod
    def footer(self, table: Table, version: Version | None = None) -> Footer:
        """Return schema, row count and metadata of a version. Raises NotPublished."""

    @abstractmethod
    def tables(self, stage: str) -> list[Table]:
        """Return the published tables of a stage, sorted by name."""

    @abstractmethod
    def versions(self, table: Table) -> Iterator[Version]:
        """Yield the versions that the lake holds, the most recently published one first."""

    @abstractmethod
    def restore(self, table: Table, version: Version) -> Published:
        """Publish an earlier version again, atomically. It keeps its `run_id` and `written_at`.

        The lock must be held. Raises LeaseLost.
        """

    @abstractmethod
    def forget(self, table: Table) -> None:
        """Unpublish the table. The version is kept as an earlier one. The lock must be held."""

    @abstractmethod
    def document_uri(self, document: Table) -> str:
        """Return the location of an HTML page, e.g. the sales report, in the lake."""

    @abstractmethod
    def document_link(self, document: Table) -> str | None:
        """Return the URL at which a browser opens the page; None if it is a local file."""

    @abstractmethod
    def write_document(self, document: Table, html: bytes) -> str:
        """Write or replace a page atomically and return its URI. The lock isn't needed."""

    @abstractmethod
    def close(self) -> None:
        """Delete downloaded files and close connections."""

    def previous(self, table: Table) -> Version:
        """Return the version to restore: the last one before the current one.

        A version that was written later is skipped, so that restoring twice goes back two
        versions instead of publishing the bad version again.
        """
        versions = iter(self.versions(table))
        current = next((version for version in versions if version.is_current), None)
        if current is None:
            versions = iter(self.versions(table))
        for version in versions:
            if current is None or version.written_at < current.written_at:
                return version
        raise NoEarlierVersion(
            f"{name_of(table)} has no earlier version in {self.uri(table)} that can be restored."
        )

    @abstractmethod
    def _staging_folder(self, table: Table) -> Path:
        """Return a local folder that readers don't see. Raises LakeError if the lock isn't held."""


@contextmanager
def _explained(table: Table, path: Path) -> Iterator[None]:
    """Delete the file if writing it fails, and add the table's name to the error."""
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
    """Return the lake at STARSCHEMA_LAKE_URI: on S3 if it starts with `s3://`, else a directory."""
    # Imported here because both modules import this one, and boto3 takes a third of a second.
    if settings.s3_lake:
        from starschema_assets.lake.s3 import S3Lake  # noqa: PLC0415

        return S3Lake(*settings.s3_lake, settings)
    from starschema_assets.lake.local import LocalLake  # noqa: PLC0415

    return LocalLake(Path(settings.lake_uri).absolute(), settings)
