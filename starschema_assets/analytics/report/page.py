"""Renders the executed notebook as one HTML page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter

FOLDER = Path(__file__).parent
JUPYTER_ONLY = "jupyter-only"
"""Tag of a cell that is only shown in JupyterLab."""
DASHBOARD = "dashboard"
"""Tag of the cells that are last in the notebook and first in the report."""


def report_html(nb: Any) -> str:
    """Return the page, without Python code and without widgets that need a kernel."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="template", extra_template_basedirs=[str(FOLDER)], anchor_link_text=""
    )
    nb = nb.copy()
    nb.cells = _arranged(nb.cells)
    made = {"made": f"{datetime.now(UTC):%-d %B %Y, %H:%M} UTC"}
    page: str = exporter.from_notebook_node(nb, resources=made)[0]
    return page


def _arranged(cells: Sequence[Any]) -> list[Any]:
    """Return the first cells up to the one that connects, then the dashboard, then the others."""
    kept = [cell for cell in cells if not _has(cell, JUPYTER_ONLY)]
    first = next(place for place, cell in enumerate(kept) if cell.cell_type == "code") + 1
    rest = sorted(kept[first:], key=lambda cell: not _has(cell, DASHBOARD))
    return kept[:first] + rest


def _has(cell: Any, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])
