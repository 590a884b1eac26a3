"""The star made by Spark: a session, the tables that it holds, and the parts that it writes."""

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
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, and not a NULL
    "spark.sql.session.timeZone": "UTC",
    # Days before 1582 as they are: Spark 3 refuses to guess which calendar a file's are of
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
    """The session of the cluster that started this process, or else one on this machine."""
    # spark-submit sets the variable, Glue's included.
    options = _EVERYWHERE if "PYSPARK_GATEWAY_PORT" in os.environ else _EVERYWHERE | _HERE
    builder = SparkSession.builder.appName("starschema")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class SparkTables:
    """Tables under their asset paths, asked in DuckDB's SQL."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def add(self, path: Table, files: str) -> None:
        """Make a Parquet file, or a folder of its parts, readable as a table."""
        self._session.read.parquet(files).createOrReplaceTempView(view_of(*path))

    def define(self, path: Table, query: str) -> None:
        """Make a query readable as a table."""
        self.frame(query).createOrReplaceTempView(view_of(*path))

    def frame(self, query: str) -> DataFrame:
        """The query, to be computed when its rows are asked for."""
        return self._session.sql(spark_sql(query))

    def fetch(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Columns and rows of a query."""
        frame = self.frame(query)
        return frame.columns, [tuple(row) for row in frame.collect()]

    def suspects(self, table: str, key: Sequence[str]) -> str:  # noqa: ARG002
        """All rows: to see them in their order would take one worker."""
        return "true"

    def parts(self, table: str, column: str, rows: int) -> list[str]:  # noqa: ARG002
        """All rows: the workers share them out."""
        return ["true"]


class SparkEngine:
    """See `Engine`."""

    def __init__(self, tables: SparkTables, files: Files) -> None:
        self.tables = tables
        self._files = files

    def read(self, table: Table, schema: str | None = None) -> None:
        """See `Engine`."""
        self.tables.add((schema or table[0], table[1]), self._files.published(table))

    def rows(
        self,
        model: Model,
        largest: int,  # noqa: ARG002
        part_sql: PartSQL | None,
    ) -> pa.RecordBatchReader:
        """See `Engine`; the workers write parts, which are read in their order."""
        for name, sql in model.steps.items():
            self.tables.define(("star", name), sql)
        path = model.contract.path
        sql = part_sql("true") if part_sql else model.sql
        self.tables.frame(sql).write.parquet(self._files.staging(path))
        return read_parts(self._files.parts(path))

    def replace(self, staged: Mapping[Table, Path]) -> None:
        """See `Engine`; the parts are audited, and the file made of them is published."""
        for table, file in staged.items():
            self.add(table, file)

    def add(self, table: Table, file: Path) -> None:  # noqa: ARG002
        """See `Engine`; the file is made of the parts."""
        self.tables.add(table, self._files.staging(table))
