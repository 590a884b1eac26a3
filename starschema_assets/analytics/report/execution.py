"""Executes the notebook in a separate kernel, without the source's settings and password."""

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
"""Timeout per cell. It is long, because a query may wait in Athena's queue."""
NEEDED = ("lake_uri", "catalog", "scratch", "glue_database", "athena_workgroup", "memory_limit")
"""Settings that a query needs. Those of the source are left out, so that a cell can't read them."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class NotebookFailed(StarschemaError):  # noqa: N818 - named after the event
    """A cell raised an exception. The message contains the cell's code and the exception."""


def execute(settings: Settings, notebook: Path = NOTEBOOK) -> Any:
    """Execute the notebook on the configured tables and return it with its outputs.

    The file isn't changed. Raises NotebookFailed.
    """
    nb = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(prefix="notebook") as folder:
        # Unix sockets in a private folder: other users of the machine could connect to a TCP port.
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
        "IPYTHONDIR": folder,  # ignore the user's IPython profile
    }


def _absolute(value: str | Path) -> str | Path:
    """Make a path absolute, because the kernel runs in another working directory."""
    return value.absolute() if isinstance(value, Path) else value


def _reason(nb: Any, notebook: Path, error: CellExecutionError) -> str:
    failed = next(
        cell
        for cell in nb.cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    )
    said = _COLOURS.sub("", error.evalue)
    return f"{notebook.name} failed in the cell\n\n{failed.source}\n\n{error.ename}: {said}"
