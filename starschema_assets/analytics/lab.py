"""Opens the sales report notebook in JupyterLab (`make notebook`).

Command-line arguments are passed to JupyterLab.
"""

import os
import sys
from pathlib import Path

from starschema_assets import command
from starschema_assets.catalog import embedded
from starschema_assets.settings import Settings


def main() -> None:
    """Replace this process by JupyterLab.

    Raises CatalogError if the embedded catalog is used and doesn't exist yet.
    """
    settings = Settings()
    if not settings.glue_database:
        embedded.connect(settings).close()
    notebook = Path(__file__).parent / "sales_report.ipynb"
    arguments = ["lab", "--ip=127.0.0.1", *sys.argv[1:], str(notebook)]
    os.execv(sys.executable, [sys.executable, "-m", "jupyter", *arguments])  # noqa: S606


if __name__ == "__main__":
    command.run(main)
