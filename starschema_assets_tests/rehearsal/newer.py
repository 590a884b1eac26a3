"""Builds a newer version of the project, for the rehearsal of an update."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uv import find_uv_bin

VERSION = "0.1.1"


@contextmanager
def newer_wheel(folder: Path, project_folder: Path) -> Iterator[None]:
    """Build a newer wheel into dist/, which Terraform uploads. Restore dist/ at the end."""
    source, dist, kept = folder / "newer", project_folder / "dist", folder / "dist"
    shutil.copytree(project_folder / "starschema_assets", source / "starschema_assets")
    for name in ("setup.py", "README.md", "LICENSE"):
        shutil.copy(project_folder / name, source)
    project = (project_folder / "pyproject.toml").read_text()
    project, found = re.subn(r'(?m)^version = ".+"', f'version = "{VERSION}"', project, count=1)
    assert found
    (source / "pyproject.toml").write_text(project)
    shutil.move(dist, kept)
    try:
        build = [find_uv_bin(), "build", "-q", "--wheel", "--no-build-isolation", "--offline"]
        subprocess.run([*build, "--python", sys.executable, "-o", dist, source], check=True)
        yield
    finally:
        shutil.rmtree(dist, ignore_errors=True)
        shutil.move(kept, dist)
