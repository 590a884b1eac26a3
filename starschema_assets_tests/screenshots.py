"""Takes the screenshots of the README, from a fresh `make run` and its report."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.browser import PATIENCE, running_browser
from starschema_assets_tests.daemon import eventually
from starschema_assets_tests.seaweedfs import free_ports
from starschema_assets_tests.ui import UI, running_ui

IMAGES = CHECKOUT / "docs" / "images"


def main() -> None:
    """Write both screenshots, replacing the existing ones."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {
            "STARSCHEMA_LAKE_URI": str(folder / "lake"),
            "STARSCHEMA_CATALOG": str(folder / "catalog.duckdb"),
            "STARSCHEMA_SCRATCH": str(folder / "scratch"),
        }
        report = folder / "lake" / "analytics" / "sales_report" / "sales_report.html"
        with running_ui(folder / "home", free_ports(1)[0], settings) as ui:
            run = [sys.executable, "-m", "starschema_assets.run"]
            subprocess.run(run, env=ui.environment, check=True)
            eventually(report.parent.exists)
            eventually(report.exists)
            _take(ui, report)


def _take(ui: UI, report: Path) -> None:
    with running_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1180})
        page.set_default_timeout(PATIENCE)
        _report(page, report)
        page.set_viewport_size({"width": 1680, "height": 1100})
        _lineage(page, ui.url)


def _report(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    page.wait_for_selector("[data-drawn]")
    page.get_by_role("combobox", name="Country").select_option("France")
    page.wait_for_timeout(500)  # until the bars have reached their positions
    page.screenshot(path=IMAGES / "report.png")


def _lineage(page: Page, url: str) -> None:
    page.goto(f"{url}/assets/star/fact_orders?view=lineage&lineageScope=neighbors&lineageDepth=5")
    page.get_by_text("fact_orders").first.wait_for()
    page.wait_for_timeout(3000)  # until the graph is laid out and shows the last runs
    page.screenshot(path=IMAGES / "lineage.png")


if __name__ == "__main__":
    main()
