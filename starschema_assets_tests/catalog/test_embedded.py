"""The embedded catalog over a real lake."""

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from starschema_assets.catalog.catalog import CatalogError
from starschema_assets.catalog.embedded import EmbeddedCatalog, connect
from starschema_assets.lake.lake import open_lake
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS
from starschema_assets_tests.conftest import VERSIONED
from starschema_assets_tests.seaweedfs import SeaweedFS

LOG = logging.getLogger()


class Shelf:
    """A lake and its catalog."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = open_lake(settings)
        self.catalog = EmbeddedCatalog(settings)

    def publish(self, name: str, columns: dict[str, list[int]]) -> None:
        reader = pa.table(columns).to_reader()
        with self.lake.lock("test", LOG):
            staged = self.lake.stage(("star", name), reader, "test")
            self.lake.upload(staged)
            self.lake.publish(staged)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.settings) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    """Lake and catalog in a directory whose name must be quoted in SQL."""
    home = tmp_path / "it's here"
    return Settings(
        lake_uri=str(home / "lake"), scratch=home / "scratch", catalog=home / "catalog.duckdb"
    )


@pytest.fixture
def on_s3(local: Settings, s3: SeaweedFS) -> Settings:
    """A lake on a real S3 server."""
    assert s3.process
    return local.model_copy(update={"lake_uri": f"s3://{VERSIONED}/{uuid.uuid4().hex}"})


@pytest.fixture(params=["local", "on_s3"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """A lake with its catalog. Tests run once per kind of lake."""
    shelf = Shelf(request.getfixturevalue(request.param))
    yield shelf
    shelf.lake.close()


def test_a_crawl_makes_every_table_of_the_star_answer(shelf: Shelf) -> None:
    shelf.publish("fact_orders", {"orderNumber": [1, 2]})
    crawl = shelf.catalog.crawl(LOG)
    assert crawl.added == ("fact_orders",)
    assert shelf.ask("select sum(orderNumber) from fact_orders") == [(3,)]


def test_a_table_that_is_replaced_answers_anew_without_a_crawl(shelf: Shelf) -> None:
    shelf.publish("fact_orders", {"orderNumber": [1, 2]})
    shelf.catalog.crawl(LOG)
    shelf.publish("fact_orders", {"orderNumber": [5]})
    assert shelf.ask("select sum(orderNumber) from fact_orders") == [(5,)]


def test_a_crawl_says_what_it_changed(shelf: Shelf) -> None:
    for name in ("a", "b"):
        shelf.publish(name, {"x": [1]})
    shelf.catalog.crawl(LOG)
    shelf.publish("b", {"x": [1], "y": [2]})
    shelf.publish("c", {"x": [1]})
    crawl = shelf.catalog.crawl(LOG)
    assert (crawl.added, crawl.updated, crawl.unchanged) == (("c",), ("b",), ("a",))
    assert dict(shelf.catalog.tables()["b"].columns) == {"x": "bigint", "y": "bigint"}


def test_a_table_that_left_the_lake_leaves_the_catalog(local: Settings) -> None:
    shelf = Shelf(local)
    shelf.publish("a", {"x": [1]})
    shelf.catalog.crawl(LOG)
    shelf.lake.fetch(("star", "a")).unlink()
    assert shelf.catalog.crawl(LOG).removed == ("a",)


def test_columns_are_described_as_in_the_contract(local: Settings) -> None:
    shelf = Shelf(local)
    contract = MODELS[0].contract
    shelf.publish(contract.table, {column.name: [1] for column in contract.columns})
    shelf.catalog.crawl(LOG)
    comments = shelf.ask("select column_name, comment from duckdb_columns() where not internal")
    assert dict(comments) == {column.name: column.description for column in contract.columns}


def test_a_crawl_is_not_in_the_way_of_someone_who_is_asking(local: Settings) -> None:
    shelf = Shelf(local)
    shelf.publish("a", {"x": [1]})
    shelf.catalog.crawl(LOG)
    with connect(local) as reader:
        shelf.publish("b", {"x": [1]})
        shelf.catalog.crawl(LOG)
        assert reader.execute("from a").fetchall() == [(1,)]
    assert shelf.catalog.tables().keys() == {"a", "b"}


def test_without_a_crawl_there_is_a_clear_error_and_no_table(local: Settings) -> None:
    with pytest.raises(CatalogError, match=r"does not exist yet: `make run`"):
        connect(local)
    assert Shelf(local).catalog.tables() == {}


def test_a_reader_can_not_write_to_the_catalog(local: Settings) -> None:
    shelf = Shelf(local)
    shelf.publish("a", {"x": [1]})
    shelf.catalog.crawl(LOG)
    with connect(local) as reader, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        reader.execute("drop view a")
