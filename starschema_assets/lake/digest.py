"""A digest of a table's rows in their order, whichever engine made them and however they came."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet as pq

BATCH_ROWS = 65_536


class Digest:
    """SHA-256 over each row's values as text; a NULL differs from an empty text."""

    def __init__(self) -> None:
        self._hash = sha256()

    def add(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Go on with these rows."""
        texts: list[Any] = [pc.cast(column, pa.string()) for column in rows.columns]
        lines: Any = pc.binary_join_element_wise(
            *texts, "\n", "\x1f", null_handling="replace", null_replacement="\x00"
        )
        for chunk in getattr(lines, "chunks", [lines]):
            size = pc.sum(pc.binary_length(chunk)).as_py() or 0
            self._hash.update(memoryview(chunk.buffers()[2] or b"")[:size])

    def __str__(self) -> str:
        return self._hash.hexdigest()


def digest_of(batches: Iterable[pa.RecordBatch]) -> str:
    """The digest of all rows."""
    digest = Digest()
    for batch in batches:
        digest.add(batch)
    return str(digest)


def digest_of_file(path: Path) -> str:
    """The digest of a Parquet file's rows."""
    return digest_of(pq.ParquetFile(path).iter_batches(BATCH_ROWS))
