"""Tests for the notebook in JupyterLab: the dashboard follows its widgets."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import duckdb
import pytest
from playwright.sync_api import expect

from starschema_assets.analytics.report.execution import NOTEBOOK
from starschema_assets.settings import Settings
from starschema_assets_tests.browser import running_browser
from starschema_assets_tests.daemon import eventually
from starschema_assets_tests.seaweedfs import free_ports

TOKEN = "opensesame"
PATIENCE = 120_000


@pytest.fixture
def lab(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """Start JupyterLab with a copy of the notebook and yield its address."""
    shutil.copy(NOTEBOOK, tmp_path / NOTEBOOK.name)
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root"]
    command += [f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    environment = os.environ | {name: str(tmp_path / name) for name in folders}
    environment |= {"STARSCHEMA_CATALOG": str(settings.catalog)}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        eventually(lambda: _answers(f"http://127.0.0.1:{port}/api"))
        yield f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK.name}?token={TOKEN}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(url: str) -> bool:
    try:
        urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


def test_a_country_chosen_in_a_widget_changes_the_figures(lab: str, settings: Settings) -> None:
    with duckdb.connect(settings.catalog, read_only=True) as catalog:
        found = catalog.execute(
            "select sum(orderAmount) from fact_orders join dim_locations using (locationKey) "
            "where country = 'France'"
        ).fetchone()
    assert found
    with running_browser() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(lab)
        page.locator(".jp-MarkdownOutput h1").first.wait_for()
        page.get_by_text("| Idle").wait_for()  # cells that run before that are lost
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        country = page.locator(".jupyter-widgets select").first
        country.wait_for()
        country.select_option("France")
        sales = page.locator('.dashboard [data-part="sales"]')
        expect(sales).to_have_text(f"${found[0]:,}", timeout=PATIENCE)
        expect(page.locator('.dashboard [data-part="countries"] svg')).to_contain_text("France")
