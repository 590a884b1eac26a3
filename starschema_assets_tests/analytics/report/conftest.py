"""The star of the sample in an embedded catalog."""

from pathlib import Path

import pytest

from starschema_assets.sample.generate import generate
from starschema_assets.settings import Settings
from starschema_assets_tests.analytics.conftest import catalog_of, star_of


@pytest.fixture(scope="package")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of an analyst, with a catalog and without a source."""
    folder = tmp_path_factory.mktemp("star")
    generate(folder / "sample.duckdb")
    with star_of(folder / "sample.duckdb") as star:
        return Settings(catalog=catalog_of(star, folder / "catalog.duckdb"), lake_uri=str(folder))


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    """File for a page that the browser opens."""
    return tmp_path / "sales_report.html"
