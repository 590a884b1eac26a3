"""Runs the notebook in a kernel of its own, without what it has no business to know."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from starschema_assets.errors import StarschemaError
from starschema_assets.settings import Settings

NOTEBOOK = Path(__file__).parent.parent / "sales_report.ipynb"
CELL_SECONDS = 900
"""For one cell: a query may wait in Athena's queue."""
NEEDED = ("lake_uri", "catalog", "scratch", "glue_database", "athena_workgroup", "memory_limit")
"""The settings of a question. The source, its password too, is none of the notebook's business."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class NotebookFailed(StarschemaError):  # noqa: N818 - reads as what happened
    """A cell raised; the message names it and holds what it raised."""


def execute(settings: Settings, notebook: Path = NOTEBOOK) -> Any:
    """The notebook with its outputs, of the tables that the settings name. Raises NotebookFailed.

    The file itself is left as it is.
    """
    nb = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(prefix="notebook") as folder:
        # Sockets in a folder of this user, where others of the machine could reach a port.
        kernel = {
            "transport": "ipc",
            "ip": f"{folder}/kernel",
            "connection_file": f"{folder}/kernel.json",
        }
        client = NotebookClient(
            nb,
            kernel_name="python3",
            timeout=CELL_SECONDS,
            resources={"metadata": {"path": folder}},
            config=Config(KernelManager=kernel),
        )
        try:
            client.execute(env=_environment(settings, folder))
        except CellExecutionError as error:
            raise NotebookFailed(_reason(nb, notebook, error)) from error
    return nb


def _environment(settings: Settings, folder: str) -> Mapping[str, str]:
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("STARSCHEMA_")
    }
    values = {name: getattr(settings, name) for name in NEEDED}
    return {
        **others,
        **{
            f"STARSCHEMA_{name.upper()}": str(_absolute(value))
            for name, value in values.items()
            if value is not None
        },
        "IPYTHONDIR": folder,  # nobody's own profile changes what comes out
    }


def _absolute(value: str | Path) -> str | Path:
    """A path as the kernel finds it, which works in a folder of its own."""
    return value.absolute() if isinstance(value, Path) else value


def _reason(nb: Any, notebook: Path, error: CellExecutionError) -> str:
    failed = next(
        cell
        for cell in nb.cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    )
    said = _COLOURS.sub("", error.evalue)
    return f"{notebook.name} failed in the cell\n\n{failed.source}\n\n{error.ename}: {said}"
