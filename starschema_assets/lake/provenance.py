"""What a table's file records of where it came from: entries of text in its metadata."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Entries = Mapping[str, str]
"""The metadata of one file. Those of raw: run_id, written_at, source, snapshot, declared, left_out,
spellings, source_rows, rows_before, nulled_dates, and order_figures with orderdetails. Those of the
star: run_id, written_at, raw_snapshots, and order_figures with the fact."""

Figures = Mapping[str, tuple[int, int, Decimal]]
"""For each year of orderDate (empty without one): order lines, pieces, USD."""


def written_by(run_id: str) -> dict[str, str]:
    """The run that writes a version, and when (ISO 8601, UTC)."""
    return {"run_id": run_id, "written_at": datetime.now(UTC).isoformat()}


def figures_entry(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """The source's answer to order_figures.sql as an entry."""
    return json.dumps([list(row) for row in rows])


def figures_of(entries: Entries) -> Figures | None:
    """The source's figures, or None if the file has none."""
    if "order_figures" not in entries:
        return None
    return {
        year: (int(lines), int(quantity), Decimal(amount))
        for year, lines, quantity, amount in json.loads(entries["order_figures"])
    }


def snapshots_of(entries: Entries) -> list[str]:
    """The snapshots of the source that a file's rows come from, the oldest first."""
    if "snapshot" in entries:
        return [entries["snapshot"]]
    return sorted(set(mapping_of(entries, "raw_snapshots").values()))


def mapping_of(entries: Entries, name: str) -> dict[str, Any]:
    """An entry that was written as JSON, by column or table; none is empty."""
    mapping: dict[str, Any] = json.loads(entries.get(name, "{}"))
    return mapping
