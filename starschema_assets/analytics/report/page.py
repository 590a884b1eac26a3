"""The executed notebook as one page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter

FOLDER = Path(__file__).parent
JUPYTER_ONLY = "jupyter-only"
"""The tag of a cell that speaks of JupyterLab."""
DASHBOARD = "dashboard"
"""The tag of the cells that end the notebook and begin the report."""


def report_html(nb: Any) -> str:
    """HTML without Python code, and without anything that a kernel would have to answer."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="template", extra_template_basedirs=[str(FOLDER)], anchor_link_text=""
    )
    nb = nb.copy()
    nb.cells = _arranged(nb.cells)
    made = {"made": f"{datetime.now(UTC):%-d %B %Y, %H:%M} UTC"}
    page: str = exporter.from_notebook_node(nb, resources=made)[0]
    return page


def _arranged(cells: Sequence[Any]) -> list[Any]:
    """What opens the notebook, up to the cell that connects; then the dashboard, then the rest."""
    kept = [cell for cell in cells if not _has(cell, JUPYTER_ONLY)]
    first = next(place for place, cell in enumerate(kept) if cell.cell_type == "code") + 1
    rest = sorted(kept[first:], key=lambda cell: not _has(cell, DASHBOARD))
    return kept[:first] + rest


def _has(cell: Any, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])
