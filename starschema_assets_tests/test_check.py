"""Tests for errors of `make check` and other commands if the project's files don't fit together."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from starschema_assets import check
from starschema_assets.settings import CHECKOUT


def test_the_project_has_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main() == 0
    assert capsys.readouterr().out == ""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the package, to be changed."""
    package = CHECKOUT / "starschema_assets"
    shutil.copytree(
        package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.duckdb")
    )
    (tmp_path / "dagster.yaml").touch()
    return tmp_path


def run(project: Path, module: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the copy."""
    return subprocess.run(
        [sys.executable, "-m", f"starschema_assets.{module}"],
        cwd=project,
        env={**os.environ, "DAGSTER_HOME": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_fault_is_a_line(project: Path) -> None:
    star = project / "starschema_assets" / "star"
    for old, new, file in (
        ("one row per day", "one row per ?", star / "dim_dates.py"),
        ("trim(products.productName)", "trim(products.productTitle)", star / "dim_products.sql"),
    ):
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
    done = run(project, "check")
    assert done.returncode == 1
    grain, column = done.stdout.splitlines()
    assert (
        grain == "star/dim_dates has no grain: write what one row represents into star/dim_dates.py"
    )
    assert column.startswith("star/dim_products.sql: line 4: Binder Error: ")
    assert '"productTitle"' in column
    refused = run(project, "run")
    assert refused.returncode == 1
    assert refused.stderr == done.stdout


@pytest.mark.parametrize("module", ["check", "run", "analytics.query", "analytics.dictionary"])
def test_a_model_that_cannot_be_loaded_ends_each_command_in_one_line(
    project: Path, module: str
) -> None:
    (project / "starschema_assets" / "star" / "sales.sql").write_text("select 1 as n")
    done = run(project, module)
    assert done.returncode == 1
    assert done.stderr == (
        "star/sales.sql has no contract: `make model TABLE=sales` writes star/sales.py\n"
    )
