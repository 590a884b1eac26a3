"""Python environments beside the project's own, for what its dependencies can't live with."""

import subprocess
import sys
from pathlib import Path

from filelock import FileLock
from uv import find_uv_bin


def python_with(name: str, *packages: str) -> Path:
    """The Python of the environment `name`, which has just these packages.

    It is made when it is first asked for, and made anew when the packages change.
    """
    home = Path(sys.prefix) / name
    marker = home / "installed"
    python = home / "bin" / "python"
    with FileLock(f"{home}.lock"):
        if not marker.exists() or marker.read_text() != " ".join(packages):
            uv = find_uv_bin()
            subprocess.run(
                [uv, "venv", "-q", "--clear", "--python", sys.executable, home], check=True
            )
            subprocess.run([uv, "pip", "install", "-q", "--python", python, *packages], check=True)
            marker.write_text(" ".join(packages))
    return python
