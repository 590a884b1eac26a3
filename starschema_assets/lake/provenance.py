"""What a table's file records of where it came from: entries of text in its metadata."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Entries = Mapping[str, str]
"""The metadata of one file. Those of raw: run_id, written_at, source, snapshot, declared, left_out,
spellings, source_rows, rows_before, nulled_dates, and the sums of a reconciliation. Those of the
star: run_id, written_at, raw_snapshots, and the sums of its reconciliation."""


def written_by(run_id: str) -> dict[str, str]:
    """The run that writes a version, and when (ISO 8601, UTC)."""
    return {"run_id": run_id, "written_at": datetime.now(UTC).isoformat()}


def snapshots_of(entries: Entries) -> list[str]:
    """The snapshots of the source that a file's rows come from, the oldest first."""
    if "snapshot" in entries:
        return [entries["snapshot"]]
    return sorted(set(mapping_of(entries, "raw_snapshots").values()))


def mapping_of(entries: Entries, name: str) -> dict[str, Any]:
    """An entry that was written as JSON, by column or table; none is empty."""
    mapping: dict[str, Any] = json.loads(entries.get(name, "{}"))
    return mapping
