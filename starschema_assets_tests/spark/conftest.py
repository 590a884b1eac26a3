"""Fixtures that start Spark, with Java options for short jobs."""

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

from starschema_assets.spark.engine import open_session


@pytest.fixture(scope="package", autouse=True)
def _quick_java() -> Iterator[None]:
    """Limit Java to its fast compiler. A job on the sample then takes less than half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A Spark session for all tests of a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_DIRS", str(tmp_path_factory.mktemp("spark")))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = open_session()
        yield session
        gateway: Any = session.sparkContext._gateway  # noqa: SLF001 - Spark doesn't stop its Java process
        session.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 - the next file starts another one
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()  # Py4J doesn't close its sockets
