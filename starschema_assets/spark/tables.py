"""Spark's session, and the tables that it holds for a run."""

import os
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from starschema_assets.spark.sql import spark_sql, view_of

_EVERYWHERE = {
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, and not a NULL
    "spark.sql.session.timeZone": "UTC",
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

    def add(self, path: tuple[str, str], files: str) -> None:
        """Make a Parquet file, or a folder of its parts, readable as a table."""
        self._session.read.parquet(files).createOrReplaceTempView(view_of(*path))

    def define(self, path: tuple[str, str], query: str) -> None:
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
