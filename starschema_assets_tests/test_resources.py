"""Tests that resources don't contain the source's URL, which may contain a password."""

from pathlib import Path

import pytest
from dagster import EnvVar, asset, materialize

from starschema_assets.lake.lake import Lake
from starschema_assets.resources import LakeResource, resources_of
from starschema_assets.settings import Settings

URL = "mysql+pymysql://reader:hunter2@127.0.0.1/classicmodels"


@pytest.mark.parametrize("variable", ["STARSCHEMA_SOURCE_URL", "starschema_source_url"])
def test_the_url_of_the_source_is_shown_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("STARSCHEMA_SOURCE_URL", raising=False)
    monkeypatch.setenv(variable, URL)
    source = resources_of(Settings())["source"]
    assert source.source_url == EnvVar(variable)
    assert "hunter2" not in repr(source)


def test_what_is_given_to_a_resource_is_what_an_asset_gets(tmp_path: Path) -> None:
    @asset(required_resource_keys={"lake"})
    def place(context) -> str:  # type: ignore[no-untyped-def]
        lake: Lake = context.resources.lake
        return lake.uri(("star", "sales"))

    lake = LakeResource(lake_uri=str(tmp_path), lock_wait=1, keep_versions=2, scratch="scratch")
    made = materialize([place], resources={"lake": lake})
    assert made.output_for_node("place") == str(tmp_path / "star" / "sales" / "sales.parquet")
