"""Creates separate Python environments, for packages that conflict with the project's."""

import subprocess
import sys
from pathlib import Path

from filelock import FileLock
from uv import find_uv_bin


def python_with(name: str, *packages: str) -> Path:
    """Return the Python of the environment `name`, which has only these packages.

    It is created at the first call, and again if the packages change.
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
