"""`make notebook`: JupyterLab on the notebook of the sales report, once there is something to ask.

Arguments go to JupyterLab.
"""

import os
import sys
from pathlib import Path

from starschema_assets import command
from starschema_assets.catalog import embedded
from starschema_assets.settings import Settings


def main() -> None:
    """Become JupyterLab; raises CatalogError if there is no embedded catalog to ask."""
    settings = Settings()
    if not settings.glue_database:
        embedded.connect(settings).close()
    notebook = Path(__file__).parent / "sales_report.ipynb"
    arguments = ["lab", "--ip=127.0.0.1", *sys.argv[1:], str(notebook)]
    os.execv(sys.executable, [sys.executable, "-m", "jupyter", *arguments])  # noqa: S606


if __name__ == "__main__":
    command.run(main)
