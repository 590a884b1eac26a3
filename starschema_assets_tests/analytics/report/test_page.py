"""Tests for the report in an offline browser, with the window sizes of a desktop and a phone."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

from starschema_assets.analytics.report.execution import execute
from starschema_assets.analytics.report.page import report_html
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS
from starschema_assets_tests.browser import running_browser

CHOSEN = """
from fact_orders
join dim_locations using (locationKey)
join dim_products using (productCode)
where country = 'France' and productLine = 'Ships'
and orderDate between '2024-01-01' and '2024-12-31'
"""
DRAWN = "[data-drawn]"


@pytest.fixture(scope="module")
def report(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "sales_report.html"
    file.write_text(report_html(execute(settings)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def asked() -> list[str]:
    """Requests of the page to a network."""
    return []


@pytest.fixture
def page(browser: Browser, asked: list[str]) -> Iterator[Page]:
    """An offline window. An error in the page fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert errors == []
    context.close()


def show(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.wait_for_selector(DRAWN, timeout=60_000)


def shown(page: Page, part: str) -> str:
    return page.locator(f'[data-part="{part}"]').inner_text()


def choose(page: Page, **values: str) -> None:
    for label, value in values.items():
        page.get_by_role("combobox", name=label.replace("_", " ")).select_option(value)


def bars(page: Page, part: str) -> str:
    return page.locator(f'[data-part="{part}"] svg').text_content() or ""


def sql(settings: Settings, query: str) -> tuple[Decimal, ...]:
    with duckdb.connect(settings.catalog, read_only=True) as catalog:
        found: tuple[Decimal, ...] | None = catalog.execute(query).fetchone()
    assert found
    return found


def test_it_loads_nothing_but_itself(page: Page, report: Path, asked: list[str]) -> None:
    show(page, report)
    assert asked == [report.as_uri()]
    assert report.stat().st_size < 3_000_000


def test_it_begins_with_all_sales_to_the_cent(page: Page, report: Path, settings: Settings) -> None:
    show(page, report)
    sales, pieces = sql(settings, "select sum(orderAmount), sum(quantityOrdered) from fact_orders")
    assert shown(page, "sales") == f"${sales:,}"
    assert shown(page, "pieces") == f"{pieces:,}"


def test_what_is_chosen_changes_figures_and_charts_as_sql_says(
    page: Page, report: Path, settings: Settings
) -> None:
    show(page, report)
    before = bars(page, "products")
    choose(page, Country="France", Product_line="Ships", From="Jan 2024", To="Dec 2024")
    sales, pieces = sql(settings, f"select sum(orderAmount), sum(quantityOrdered) {CHOSEN}")
    expect(page.locator('[data-part="sales"]')).to_have_text(f"${sales:,}")
    assert shown(page, "pieces") == f"{pieces:,}"
    best, amount = sql(
        settings,
        f"select productName, sum(orderAmount) as s {CHOSEN} group by all order by s desc limit 1",
    )
    expect(page.locator('[data-part="products"] svg')).to_contain_text(str(best))
    after = bars(page, "products")
    assert f"${amount:,.0f}" in after
    assert after != before


def test_a_click_on_a_country_chooses_it_and_reset_forgets_it(page: Page, report: Path) -> None:
    show(page, report)
    before = shown(page, "sales")
    page.locator('[data-part="countries"] svg path[aria-label*="France"]').first.click()
    expect(page.get_by_role("combobox", name="Country").locator("option:checked")).to_have_text(
        "France"
    )
    page.get_by_role("button", name="Reset").click()
    expect(page.locator('[data-part="sales"]')).to_have_text(before)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page: Page, report: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    show(page, report)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_there_is_nothing_of_a_kernel_or_of_code_in_it(page: Page, report: Path) -> None:
    show(page, report)
    text = page.locator("main").inner_text()
    assert "star.ask" not in text.replace("`", "").split("Dashboard")[0]
    assert "widget" not in text.lower()
    assert "make notebook" not in text


def test_nothing_personal_is_in_it(report: Path, settings: Settings) -> None:
    """Only long values are searched: short ones match by chance, or are names of firms."""
    html = report.read_text(encoding="utf-8")
    with duckdb.connect(settings.catalog, read_only=True) as catalog:
        for model in MODELS:
            contract = model.contract
            for column in (c.name for c in contract.columns if c.personal):
                values = catalog.execute(
                    f"select distinct {column} from {contract.table} where length({column}) > 9 "
                    f"and not exists (from dim_customers where contains(customerName, {column}))"
                ).fetchall()
                assert not [value for (value,) in values if value in html], column


def test_text_of_the_source_stays_text(
    page: Page, settings: Settings, tmp_path: Path, page_file: Path
) -> None:
    evil = "</script><img src=x onerror=\"document.title='taken'\">"
    catalog = tmp_path / "catalog.duckdb"
    shutil.copy(settings.catalog, catalog)
    with duckdb.connect(catalog) as connection:
        connection.execute("update dim_products set productName = $1", [evil])
        connection.execute("update dim_locations set country = $1 where country = 'USA'", [evil])
    page_file.write_text(report_html(execute(settings.model_copy(update={"catalog": catalog}))))
    show(page, page_file)
    assert page.title() == "Sales report"
    assert evil in bars(page, "countries")
