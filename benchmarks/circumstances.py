"""Describes date, commit, machine and software versions of a benchmark run."""

import os
import platform
import shlex
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from starschema_assets.settings import CHECKOUT
from starschema_assets_tests import mariadb
from starschema_assets_tests.mysql_packages import found

OWN_PACKAGES = ("dagster", "duckdb", "pyarrow")


def circumstances(server: str, arguments: list[str]) -> dict[str, str]:
    """Return the lines of the report by label. Peers are the contenders with their own packages."""
    peers = {package: None for contender in CONTENDERS for package in contender.packages}
    asked = f' ARGS="{shlex.join(arguments)}"' if arguments else ""
    return {
        "Measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, at commit {_commit()}, "
        f"with `make bench{asked}`",
        "Machine": f"{os.cpu_count()} cores ({_of('/proc/cpuinfo', 'model name')}), "
        f"{int(_of('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB of memory, "
        f"{platform.system()} {platform.release().partition('-')[0]}",
        "This project": ", ".join(_versions(server)),
        "Peers": ", ".join(package.replace("==", " ") for package in peers),
    }


def _versions(server: str) -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for package in OWN_PACKAGES:
        yield f"{package} {version(package)}"
    yield f"MariaDB {mariadb.version()}" if server == "mariadb" else f"MySQL {found().version}"


def _commit() -> str:
    git = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _of(file: str, field: str) -> str:
    """Return the value of the first line `field: value` in a file."""
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return "unknown"
