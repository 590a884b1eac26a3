"""Writes the lake's Parquet files and reads their footers."""

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet as pq

from starschema_assets.lake.errors import SourceInterrupted, Unreadable
from starschema_assets.types import athena_safe, conform

ROW_GROUP_ROWS = 65_536
"""Rows per row group: few enough that Athena can skip most groups, enough to compress well."""
REPEATS = 16
"""A column gets a dictionary if each of its values occurs at least this often on average."""
ROW_GROUP_BYTES = 16 * 2**20
"""Maximum size of a row group of wide rows. It is held in memory until it is written."""

Item = TypeVar("Item")

PREFIX = "starschema."
"""Prefix of the lake's entries in a file's key-value metadata."""


@dataclass(frozen=True)
class Footer:
    """Row count, schema and metadata from a Parquet file's footer."""

    rows: int
    schema: pa.Schema
    metadata: Mapping[str, str]
    """The lake's entries, e.g. `run_id`, without PREFIX."""


def write_table(
    path: Path,
    reader: pa.RecordBatchReader,
    *,
    metadata: Mapping[str, str],
    sorted_by: Sequence[str] = (),
    digest: bool = False,
) -> int:
    """Write the reader's rows to a new file, sync it to disk, and return the row count.

    Types that Athena can't read are converted. `sorted_by` lists the columns by which the rows
    are already sorted. With `digest`, the metadata entry `digest` has a digest of the rows. At
    most three row groups are in memory. Raises ColumnRefused, and SourceInterrupted if the reader
    fails with an OSError.
    """
    target = _with_dictionaries(athena_safe(reader.schema), reader.schema)
    rows = 0
    rows_digest = hashlib.sha256()
    with closing(_read_ahead(_row_groups(conform(b, target) for b in _read(reader)))) as groups:
        group = next(groups, None)
        with pq.ParquetWriter(
            path,
            target,
            compression="zstd",
            use_dictionary=_repeating(group) if group else False,  # type: ignore[arg-type]
            store_decimal_as_integer=True,
            store_schema=False,
            write_page_index=True,
            sorting_columns=_ascending(target, sorted_by),
        ) as writer:
            writer.add_key_value_metadata({PREFIX + key: value for key, value in metadata.items()})
            while group:
                writer.write_table(group, row_group_size=group.num_rows)
                rows += group.num_rows
                if digest:
                    _add_rows(rows_digest, group)
                group = next(groups, None)
            if digest:
                writer.add_key_value_metadata({f"{PREFIX}digest": rows_digest.hexdigest()})
    sync(path)
    pa.default_memory_pool().release_unused()
    return rows


def read_footer(source: Path | pa.NativeFile) -> Footer:
    """Read the footer of a file, or of the last bytes of a file. Raises Unreadable."""
    try:
        footer = pq.read_metadata(source)
    except pa.ArrowInvalid as error:
        file = source if isinstance(source, Path) else "the object"
        raise Unreadable(
            f"{file} is not a complete Parquet file ({error}): restore or rematerialize the table"
        ) from error
    entries = footer.metadata or {}
    own = {
        key.decode().removeprefix(PREFIX): value.decode()
        for key, value in entries.items()
        if key.startswith(PREFIX.encode())
    }
    return Footer(footer.num_rows, footer.schema.to_arrow_schema().remove_metadata(), own)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's rows in file order, as `write_table` computes it."""
    digest, file = hashlib.sha256(), pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        _add_rows(digest, file.read_row_group(group, use_threads=False))
    pa.default_memory_pool().release_unused()
    return digest.hexdigest()


def _add_rows(digest: "hashlib._Hash", group: pa.Table) -> None:
    """Add a row group to the digest: the NULL mask, text lengths and values of each column.

    Hashing the rows as text would be simpler but three times as slow (0.4 s for 400,000 rows).
    """
    for column in group.combine_chunks().columns:
        array: Any = column.chunk(0)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        digest.update(_content(array.is_valid().cast(pa.uint8())))
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            array = array.cast(pa.binary()).fill_null(_zero(pa.binary()))
            digest.update(_content(pc.binary_length(array)))
            _, offsets, texts = array.buffers()
            bounds = memoryview(offsets).cast("i")[array.offset :][: len(array) + 1]
            digest.update(memoryview(texts or b"")[bounds[0] : bounds[-1]])
        else:
            if pa.types.is_boolean(array.type):
                array = array.cast(pa.uint8())
            digest.update(_content(array.fill_null(_zero(array.type))))


def _zero(type_: pa.DataType) -> Any:
    """Return zero, or an empty text, built from bytes.

    From a Python value, Arrow would import pandas if it is installed: 0.2 s and 40 MB of memory.
    """
    buffers = [None, pa.py_buffer(bytes(16)), pa.py_buffer(b"")]
    return pa.Array.from_buffers(type_, 1, buffers[: type_.num_buffers])[0]


def _content(array: Any) -> memoryview:
    """Return the values buffer of an array of a fixed-width type."""
    width = array.type.bit_width // 8
    return memoryview(array.buffers()[1])[array.offset * width :][: len(array) * width]


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk, so that they survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _with_dictionaries(target: pa.Schema, source: pa.Schema) -> pa.Schema:
    """Return the target schema, but keep the dictionary type of dictionary-encoded text columns."""
    for index, field in enumerate(target):
        if field.name in source.names:
            kind = source.field(field.name).type
            if pa.types.is_dictionary(kind) and kind.value_type == field.type:
                target = target.set(index, field.with_type(kind))
    return target


def _read(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Yield the batches. Raise SourceInterrupted for an OSError of the source, not of the disk."""
    try:
        yield from reader
    except OSError as error:
        raise SourceInterrupted(f"its rows could not be read to the end: {error}") from error


def _read_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield the items. A second thread fetches the next item while the caller uses the last one."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, items, None)
            yield item


def _repeating(rows: pa.Table) -> list[str]:
    """Return the columns with enough repeated values for a dictionary to make them smaller.

    For other columns, a dictionary costs time and space: a fifth of both for the fact table.
    """
    return [
        name
        for name in rows.column_names
        if pa.types.is_dictionary(rows[name].type)
        or pc.count_distinct(rows[name]).as_py() * REPEATS <= rows.num_rows
    ]


def _ascending(schema: pa.Schema, columns: Sequence[str]) -> tuple[pq.SortingColumn, ...] | None:
    if not columns:
        return None
    # NULLS LAST is DuckDB's default sort order.
    order: list[tuple[str, Literal["ascending"]]] = [(name, "ascending") for name in columns]
    return tuple(pq.SortingColumn.from_ordering(schema, order, null_placement="at_end"))


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield tables of ROW_GROUP_ROWS rows, or of ROW_GROUP_BYTES; the last table is smaller."""
    pending: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for piece in _pieces(batch):
            rest = piece
            while rest.num_rows:
                head = rest.slice(0, ROW_GROUP_ROWS - rows)
                rest = rest.slice(head.num_rows)
                pending.append(head)
                rows += head.num_rows
                size += head.nbytes
                if rows == ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
                    yield pa.Table.from_batches(pending)
                    pending, rows, size = [], 0, 0
    if pending:
        yield pa.Table.from_batches(pending)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield slices of a batch, each about a quarter of ROW_GROUP_BYTES if rows are equally wide."""
    step = max(1, batch.num_rows * ROW_GROUP_BYTES // (4 * max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)
