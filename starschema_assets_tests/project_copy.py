"""Copies the project, so that a test can change files like a user."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

from starschema_assets.settings import CHECKOUT

PAGE = (CHECKOUT / "docs" / "your-database.md").read_text(encoding="utf-8")
_MADE = (".git", ".venv", ".mysql", "data", "build", "dist", "*.egg-info", ".*_cache", "*.log")
_FOREIGN = ("STARSCHEMA_", "DAGSTER_", "AWS_", "MAKE", "MFLAGS", "ARGS", "PYTEST_")
# The environment exists; with newer files, make would install it again
_MAKE = 'make() { command make -o .venv/installed "$@"; }\n'

_REFRESH = """
.venv/bin/python - <<'PYTHON'
from datetime import UTC, datetime

from starschema_assets.run import main
from starschema_assets_tests.clock import set_clock

set_clock(datetime({0.year}, {0.month}, {0.day}, 12, tzinfo=UTC))
main()
PYTHON
"""


def copy_project(folder: Path) -> None:
    """Copy the project, with its environment and a separate Dagster instance."""
    shutil.copytree(
        CHECKOUT, folder, ignore=shutil.ignore_patterns(*_MADE, "__pycache__", "storage")
    )
    for made in (".venv", ".mysql"):
        if (CHECKOUT / made).exists():
            (folder / made).symlink_to(CHECKOUT / made)


def take_sample_out(folder: Path) -> None:
    """Remove the files that the page lists as the sample's."""
    run_in(folder, "\n".join(re.findall(r"^rm .*", PAGE, re.MULTILINE)))


def environment(folder: Path) -> dict[str, str]:
    """Return the environment variables for a command in a copy, without the project's settings."""
    others = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    # The environment has the original project installed, not the copy
    return others | {"PYTHONPATH": str(folder)}


def run_in(folder: Path, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a bash script in a copy with only these settings, and assert that it succeeds."""
    done = subprocess.run(
        ["bash", "-euc", _MAKE + script],
        cwd=folder,
        env=environment(folder) | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def refresh_on(day: date) -> str:
    """The commands of a refresh whose snapshot is of noon on this day, in UTC."""
    return _REFRESH.format(day)


def apply() -> None:
    """Apply a diff from the standard input to a file, ignoring line numbers."""
    head, *hunks = re.split(r"^@@.*\n", sys.stdin.read(), flags=re.MULTILINE)
    file = Path(head.split("+++ b/")[1].strip())
    code = file.read_text(encoding="utf-8")
    for hunk in hunks:
        before, after = (
            "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] != mark)
            for mark in "+-"
        )
        if code.count(before) != 1:
            raise ValueError(f"{file} doesn't have these lines once:\n{before}")
        code = code.replace(before, after)
    file.write_text(code, encoding="utf-8")
