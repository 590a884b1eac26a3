"""Puts another business in the sample's place, in a copy of the project, and runs its tests.

The other business is a bike rental. Its files are in `bike_hire/`.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from starschema_assets_tests.project_copy import copy_project, environment, take_sample_out

BUSINESS = Path(__file__).with_name("bike_hire")


def copy_with_other_business(folder: Path) -> None:
    """Copy the project, and replace the sample's files by those of the other business."""
    copy_project(folder)
    take_sample_out(folder)
    package = folder / "starschema_assets"
    shutil.copy(BUSINESS / "contracts.py", package / "raw")
    for file in [*BUSINESS.glob("dim_*"), *BUSINESS.glob("fact_*")]:
        shutil.copy(file, package / "star")
    shutil.copytree(BUSINESS / "steps", package / "star" / "steps", dirs_exist_ok=True)
    questions = package / "analytics" / "questions"
    shutil.copytree(BUSINESS / "questions", questions, dirs_exist_ok=True)
    shutil.copy(BUSINESS / "sales_report.ipynb", package / "analytics")


def main() -> int:
    """Run the checks and the general tests in a copy. Return make's exit status."""
    with tempfile.TemporaryDirectory(prefix="other-business-") as folder:
        project = Path(folder) / "project"
        copy_with_other_business(project)
        for target in ("docs", "check", "test-general"):
            if status := subprocess.call(["make", target], cwd=project, env=environment(project)):
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
