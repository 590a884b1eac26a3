"""Spark computes the same versions as a reference implementation, also for days before 1582."""

from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from starschema_assets.lake.lake import Table
from starschema_assets.spark.engine import SparkTables
from starschema_assets.spark.files import read_parts
from starschema_assets_tests.test_history import SEQUENCE, SPELLINGS, verify

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # of Py4J


class OnSpark:
    """Rows in Spark. Every table is written to a Parquet file by Spark and read again."""

    def __init__(self, session: SparkSession, folder: Path) -> None:
        self._tables = SparkTables(session)
        self._folders = (folder / str(number) for number in count())

    def put(self, table: Table, rows: pa.Table) -> None:
        folder = next(self._folders)
        folder.mkdir()
        pq.write_table(rows, folder / "rows.parquet")
        self._tables.add(table, str(folder))

    def ask(self, sql: str) -> pa.Table:
        folder = next(self._folders)
        self._tables.frame(sql).write.parquet(str(folder))
        return read_parts(iter(sorted(folder.glob("part-*")))).read_all()


def test_changes_deletions_returns_and_reruns_make_versions(
    session: SparkSession, tmp_path: Path
) -> None:
    verify(SEQUENCE, OnSpark(session, tmp_path), text_key=False)


def test_a_respelled_key_stays_the_same(session: SparkSession, tmp_path: Path) -> None:
    verify(SPELLINGS, OnSpark(session, tmp_path), text_key=True)
