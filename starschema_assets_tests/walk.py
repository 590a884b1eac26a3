"""Lists the files that a refresh uses until a table is published.

`python -m starschema_assets_tests.walk [star/fact_orders]` prints each file of the package that
executes a function between the start of `make run` and the publication of the table, and the
table's SQL, in the order of first use. Code that only runs during an import doesn't count.
"""

import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from starschema_assets import command, run
from starschema_assets.lake.lake import StagedTable
from starschema_assets.model import Model
from starschema_assets.sample import ensure_sample
from starschema_assets.settings import CHECKOUT

PACKAGE = CHECKOUT / "starschema_assets"


class Walk:
    """Records files when their functions are called, until the table is published."""

    def __init__(self, table: str) -> None:
        self.table = tuple(table.split("/"))
        self.files: list[Path] = []
        self.ended = False

    def look(self, frame: FrameType, event: str, _: Any) -> None:
        """Record a call. Set this as the interpreter's profile function."""
        path = frame.f_code.co_filename
        if self.ended or not path.startswith(str(PACKAGE)):
            return
        if event == "call":
            self._note(Path(path), frame)
            model = frame.f_locals.get("model")
            if frame.f_code.co_name == "rows" and isinstance(model, Model):
                self._note_sql(model)
        elif event == "return" and frame.f_code.co_name == "publish":
            staged = frame.f_locals.get("staged")
            self.ended = isinstance(staged, StagedTable) and staged.table == self.table

    def _note(self, path: Path, frame: FrameType) -> None:
        if path not in self.files and not _is_import(frame):
            self.files.append(path)

    def _note_sql(self, model: Model) -> None:
        if model.contract.path == self.table:
            self.files += model.paths


def _is_import(frame: FrameType) -> bool:
    at: FrameType | None = frame
    while at:
        if at.f_code.co_name == "<module>" and at.f_globals.get("__name__") != "__main__":
            return True
        at = at.f_back
    return False


def main() -> None:
    """Refresh the sample into a temporary lake, and print the files."""
    walk = Walk(sys.argv[1] if len(sys.argv) > 1 else "star/fact_orders")
    ensure_sample()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", home)
        os.environ |= {
            "DAGSTER_HOME": str(home),
            "STARSCHEMA_LAKE_URI": f"{folder}/lake",
            "STARSCHEMA_CATALOG": f"{folder}/catalog.duckdb",
            "STARSCHEMA_SCRATCH": f"{folder}/scratch",
        }
        threading.setprofile(walk.look)
        sys.setprofile(walk.look)
        try:
            command.run(run.main)
        except SystemExit as ended:
            if ended.code:
                raise
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in walk.files]
    for number, (path, count) in enumerate(zip(walk.files, lines, strict=True), start=1):
        sys.stdout.write(f"{number:3} {path.relative_to(PACKAGE)} ({count} lines)\n")
    sys.stdout.write(f"{len(walk.files)} files, {sum(lines)} lines, the longest {max(lines)}\n")


if __name__ == "__main__":
    main()
