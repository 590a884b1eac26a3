"""Tests `make ui` in a real browser, with a real daemon, and a password in the source's URL."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocket, expect

from starschema_assets_tests.browser import PATIENCE, running_browser
from starschema_assets_tests.conftest import PASSWORD, Sales, copy_sample
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.pipeline import RAW, STAR
from starschema_assets_tests.seaweedfs import free_ports
from starschema_assets_tests.ui import UI, running_ui

PAGES = (
    "/assets/raw/customers?view=events",
    "/assets/star/fact_orders",
    "/locations/starschema_assets/resources/source",
    "/locations/starschema_assets/resources/io_manager",
    "/locations/starschema_assets/jobs/refresh_star_schema/playground",
    "/deployment/config",
    "/runs",
)
MATERIALIZED = """
query($keys: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $keys) {
    assetKey { path }
    assetMaterializations(limit: 1) {
      runId
      metadataEntries { label ... on IntMetadataEntry { intValue } }
    }
  }
}
"""
RUNS = """
query($job: String!) {
  runsOrError(filter: {pipelineName: $job}) { ... on Runs { results { runId } } }
}
"""


@pytest.fixture(scope="module")
def sales(mariadb: DatabaseServer) -> Iterator[Sales]:
    """A copy of the sample for all tests of the module."""
    sales = copy_sample(mariadb, "ui")
    yield sales
    sales.sql(f"drop database {sales.database}")


@pytest.fixture(scope="module")
def ui(sales: Sales, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UI]:
    """The UI on a new Dagster instance and an empty lake."""
    folder = tmp_path_factory.mktemp("ui")
    settings = {
        "STARSCHEMA_SOURCE_URL": sales.url,
        "STARSCHEMA_LAKE_URI": str(folder / "lake"),
        "STARSCHEMA_CATALOG": str(folder / "catalog.duckdb"),
        "STARSCHEMA_SCRATCH": str(folder / "scratch"),
    }
    (port,) = free_ports(1)
    with running_ui(folder / "home", port, settings) as ui:
        yield ui


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def answers() -> list[str]:
    """All text that the browser received: responses, events of runs, pages."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, ui: UI, answers: list[str]) -> Iterator[Page]:
    """A window that records all text that it receives."""

    def keep(route: Route) -> None:
        answer = route.fetch(max_retries=5)  # the server may have closed an idle connection
        answers.append(answer.text())
        route.fulfill(response=answer)

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: answers.append(str(frame)))

    page = browser.new_page(base_url=ui.url, viewport={"width": 1600, "height": 2400})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.route("**/graphql*", keep)
    page.on("websocket", listen)
    yield page
    page.unroute_all(behavior="ignoreErrors")


def crawls(ui: UI) -> list[str]:
    """Return the runs of the job that crawls."""
    runs = ui.ask(RUNS, job="crawl_star_schema")["runsOrError"]["results"]
    return [run["runId"] for run in runs]


def materialize_all(page: Page, outcome: str) -> str:
    """Press the button on the lineage page, wait for this end of the run, and return its id."""
    page.goto("/asset-groups")
    expect(page.get_by_text("star", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("link", name="View", exact=True).click()
    # Executing the report's notebook takes a while
    expect(page.get_by_text(outcome, exact=True).first).to_be_visible(timeout=4 * PATIENCE)
    return page.url.rpartition("/")[2]


@pytest.fixture(scope="module")
def run_id(page: Page) -> str:
    """Return the id of the run that the button started."""
    return materialize_all(page, "Success")


def test_materialize_all_publishes_every_table_with_the_rows_of_the_source(
    run_id: str, ui: UI, sales: Sales
) -> None:
    keys = [{"path": path} for path in [*RAW, *STAR]]
    rows = {}
    for node in ui.ask(MATERIALIZED, keys=keys)["assetNodes"]:
        (materialization,) = node["assetMaterializations"]
        assert materialization["runId"] == run_id
        entries = {e["label"]: e.get("intValue") for e in materialization["metadataEntries"]}
        rows[tuple(node["assetKey"]["path"])] = entries["dagster/row_count"]
    assert rows.keys() == {*RAW, *STAR}
    for stage, table in RAW:
        assert rows[stage, table] == int(sales.sql(f"select count(*) from {table}"))
    assert rows["star", "fact_orders"] == rows["raw", "orderdetails"]


@pytest.mark.usefixtures("run_id")
def test_the_page_of_a_table_tells_what_it_holds_and_where_it_came_from(
    page: Page, sales: Sales
) -> None:
    page.goto("/assets/star/fact_orders")
    expect(page.get_by_text("Order lines with customer")).to_be_visible()
    lines = int(sales.sql("select count(*) from orderdetails"))
    expect(page.get_by_text(f"{lines:,}", exact=True)).to_be_visible()
    amount = page.get_by_role("row").filter(has=page.get_by_text("orderAmount", exact=True)).first
    expect(amount).to_contain_text("decimal(20,2)")
    expect(amount).to_contain_text("raw.orderdetails.priceEach, raw.orderdetails.quantityOrdered")
    customer = page.get_by_role("row").filter(has_text="Customer who ordered").first
    expect(customer).to_contain_text("→ dim_customers")
    expect(page.get_by_role("link", name="fact_orders.sql")).to_be_visible()


def test_the_resources_page_shows_the_settings_and_of_the_url_its_variable(page: Page) -> None:
    page.goto("/locations/starschema_assets/resources/source")
    expect(page.get_by_role("row").filter(has_text="zero_dates")).to_contain_text("refuse")
    url = page.get_by_role("row").filter(has_text="source_url")
    expect(url).to_contain_text("STARSCHEMA_SOURCE_URL")


@pytest.mark.usefixtures("run_id")
def test_sample_rows_hide_what_is_personal(page: Page, sales: Sales) -> None:
    page.goto("/assets/raw/customers")
    number, name, phone, street = (
        sales.sql(
            "select customerNumber, customerName, phone, addressLine1 from customers "
            "order by customerNumber limit 1"
        )
        .rstrip("\n")
        .split("\t")
    )
    sample = page.get_by_role("row").filter(has_text=name).last
    expect(sample).to_contain_text(number)
    expect(sample).to_contain_text("***")
    assert phone not in page.content()
    assert street not in page.content()


@pytest.mark.usefixtures("run_id")
def test_a_publication_is_followed_by_one_crawl_unless_its_run_crawled(page: Page, ui: UI) -> None:
    assert crawls(ui) == []  # Materialize all included the catalog
    page.goto("/assets/star/dim_customers")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("link", name="View", exact=True).click()
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.goto("/runs")
    crawl = page.get_by_role("link", name="crawl_star_schema").first
    expect(crawl).to_be_visible(timeout=2 * PATIENCE)
    assert len(crawls(ui)) == 1


@pytest.mark.usefixtures("run_id")
def test_a_run_of_the_command_line_is_seen(page: Page, ui: UI) -> None:
    command = [sys.executable, "-m", "starschema_assets.run"]
    done = subprocess.run(
        command, env=ui.environment, cwd=ui.log.parent, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    page.goto("/runs")
    expect(page.get_by_role("link", name="refresh_star_schema")).to_be_visible()
    (run,) = ui.ask(RUNS, job="refresh_star_schema")["runsOrError"]["results"]
    page.goto(f"/runs/{run['runId']}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_text("star_tables", exact=True).first).to_be_visible()


def test_a_second_ui_of_the_same_instance_is_refused_with_the_address_of_the_first(ui: UI) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "starschema_assets.ui", "--port", str(port)]
    done = subprocess.run(
        command, env=ui.environment, cwd=ui.log.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (
        f"is already running on {ui.log.parent}: {ui.url}, process " in done.stderr.splitlines()[-1]
    )


@pytest.mark.usefixtures("run_id")
def test_nothing_that_the_ui_shows_or_keeps_holds_the_password(
    page: Page, ui: UI, sales: Sales, answers: list[str]
) -> None:
    sales.sql("alter user reader identified by 'another'")
    try:
        materialize_all(page, "Failure")
    finally:
        sales.sql(f"alter user reader identified by '{PASSWORD}'")
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        answers.append(page.content())
    told = "\n".join(answers)
    for shown in ("Access denied", "io_manager", "accept", "orderAmount", "STEP_FAILURE"):
        assert shown in told
    kept = {file: file.read_bytes() for file in _files(ui.log.parent)}
    assert any(b"Access denied" in content for content in kept.values())
    for secret in (PASSWORD, quote(PASSWORD, safe="")):
        assert secret not in told
        assert not [file for file, content in kept.items() if secret.encode() in content]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
