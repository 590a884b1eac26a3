"""The reader of the other tests detects all errors that it checks for."""

import io
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from starschema_assets_tests.faults.deployment import FILES, Deployment
from starschema_assets_tests.faults.reader import FACT_FILE, Reader, reading
from starschema_assets_tests.faults.writers import assert_orders_add_up


@pytest.fixture
def reader(on_disk: Deployment) -> Reader:
    """A reader that has read the tables of the first refresh."""
    reader = Reader()
    reader.look(on_disk.objects)
    assert reader.versions == len(FILES)
    return reader


def put(deployment: Deployment, name: str, content: bytes) -> None:
    """Replace a published file without any check."""
    (Path(deployment.settings.lake_uri) / name).write_bytes(content)


def without_last_row(content: bytes) -> bytes:
    """Return the table with the same metadata, but without its last row."""
    table = pq.read_table(pa.BufferReader(content))
    shortened = io.BytesIO()
    pq.write_table(table.slice(0, table.num_rows - 1), shortened)
    return shortened.getvalue()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("raw/orders/orders.parquet", "has other rows than the source"),
        (FACT_FILE, "totals aren't those of the source"),
        ("star/dim_products/dim_products.parquet", "of the fact: not in dim_products"),
    ],
)
def test_a_row_that_is_gone_is_noticed(
    on_disk: Deployment, reader: Reader, name: str, wrong: str
) -> None:
    assert on_disk.refresh().success
    put(on_disk, name, without_last_row(on_disk.published()[name]))
    with pytest.raises(AssertionError, match=wrong):
        reader.look(on_disk.objects)


@pytest.mark.parametrize("name", [FILES[0], FACT_FILE])
def test_a_torn_file_is_noticed(on_disk: Deployment, reader: Reader, name: str) -> None:
    content = on_disk.published()[name]
    put(on_disk, name, content[: len(content) // 2])
    with pytest.raises(Exception, match=r"Parquet|parquet"):
        reader.look(on_disk.objects)


@pytest.mark.parametrize("name", [FILES[0], FACT_FILE])
def test_a_table_that_goes_back_in_time_is_noticed(
    on_disk: Deployment, reader: Reader, name: str
) -> None:
    older = on_disk.published()[name]
    assert on_disk.refresh().success
    reader.look(on_disk.objects)
    put(on_disk, name, older)
    with pytest.raises(AssertionError, match="went back in time"):
        reader.look(on_disk.objects)


def test_a_fact_that_is_published_before_a_dimension_is_noticed(
    on_disk: Deployment, reader: Reader
) -> None:
    before = on_disk.published()
    assert on_disk.refresh().success
    for name in FILES:
        if name != FACT_FILE:
            put(on_disk, name, before[name])
    with pytest.raises(AssertionError, match="is older than the fact"):
        reader.look(on_disk.objects)


def test_dimensions_that_are_newer_than_the_fact_are_no_wrong(
    on_disk: Deployment, reader: Reader
) -> None:
    before = on_disk.published()
    assert on_disk.refresh().success
    put(on_disk, FACT_FILE, before[FACT_FILE])
    reader.look(on_disk.objects)


def test_what_is_wrong_only_for_a_while_fails_the_test_that_reads(on_disk: Deployment) -> None:
    good = on_disk.published()[FACT_FILE]

    def spoil_for_a_while() -> None:
        with reading(on_disk.objects) as reader:
            put(on_disk, FACT_FILE, good[:-1])
            while not reader.errors:
                time.sleep(0.02)
            put(on_disk, FACT_FILE, good)

    with pytest.raises(AssertionError, match="Parquet"):
        spoil_for_a_while()


def test_an_order_of_two_moments_is_noticed() -> None:
    columns = ["orderNumber", "quantityOrdered", "orderAmount", "comments"]
    rows = [(1_000_001, 2, 5, "2 4 8"), (1_000_001, 2, 3, "2 4 8"), (1, 1, 1, "older")]
    fact = pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
    assert assert_orders_add_up(fact) == 1
    with pytest.raises(AssertionError, match="order 1000001 mixes two states"):
        assert_orders_add_up(fact.slice(1))
