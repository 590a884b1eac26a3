"""Builds the star with Spark: the session, its tables, and the engine."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from starschema_assets.lake.lake import Table
from starschema_assets.model import Model, PartSQL
from starschema_assets.spark.files import Files, read_parts
from starschema_assets.spark.sql import spark_sql, view_of

_EVERYWHERE = {
    "spark.sql.ansi.enabled": "true",  # an overflow is an error instead of NULL
    "spark.sql.session.timeZone": "UTC",
    # Dates before 1582 are read and written unchanged. By default Spark 3 raises an error for them
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
_HERE = {
    "spark.master": "local[*]",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-Duser.language=en -Duser.country=US",  # lower('I') is 'i'
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "16",
}


def open_session() -> SparkSession:
    """Return the session of the cluster that runs this process, or else a local session."""
    # spark-submit sets the variable, also in Glue.
    options = _EVERYWHERE if "PYSPARK_GATEWAY_PORT" in os.environ else _EVERYWHERE | _HERE
    builder = SparkSession.builder.appName("starschema")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class SparkTables:
    """Tables by their asset paths, queried in DuckDB's SQL."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def add(self, path: Table, files: str) -> None:
        """Register a Parquet file, or a folder with its parts, as a table."""
        self._session.read.parquet(files).createOrReplaceTempView(view_of(*path))

    def define(self, path: Table, query: str) -> None:
        """Register a query as a table."""
        self.frame(query).createOrReplaceTempView(view_of(*path))

    def frame(self, query: str) -> DataFrame:
        """Return a query as a DataFrame. Spark runs it when the rows are read."""
        return self._session.sql(spark_sql(query))

    def fetch(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run a query and return its columns and rows."""
        frame = self.frame(query)
        return frame.columns, [tuple(row) for row in frame.collect()]

    def suspects(self, table: str, key: Sequence[str]) -> str:  # noqa: ARG002
        """Return a condition for all rows. Narrowing them down would need sorting on one worker."""
        return "true"

    def parts(self, table: str, column: str, rows: int) -> list[str]:  # noqa: ARG002
        """Return a condition for all rows, because Spark splits them among its workers."""
        return ["true"]


class SparkEngine:
    """The `Engine` that builds star tables with Spark."""

    def __init__(self, tables: SparkTables, files: Files) -> None:
        self.tables = tables
        self._files = files

    def read(self, table: Table, schema: str | None = None) -> None:
        self.tables.add((schema or table[0], table[1]), self._files.published(table))

    def rows(
        self,
        model: Model,
        largest: int,  # noqa: ARG002
        part_sql: PartSQL | None,
    ) -> pa.RecordBatchReader:
        """Let the workers write parts, and read the parts in order."""
        for name, sql in model.steps.items():
            self.tables.define(("star", name), sql)
        path = model.contract.path
        sql = part_sql("true") if part_sql else model.sql
        self.tables.frame(sql).write.parquet(self._files.staging(path))
        return read_parts(self._files.parts(path))

    def replace(self, staged: Mapping[Table, Path]) -> None:
        """Register the parts for the audit. The published file is written from the same parts."""
        for table, file in staged.items():
            self.add(table, file)

    def add(self, table: Table, file: Path) -> None:  # noqa: ARG002
        """Register the parts that the file was written from."""
        self.tables.add(table, self._files.staging(table))
