"""The contenders: their commands and the tables that they write."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.answers import RAW, STAR
from benchmarks.source import Source
from starschema_assets_tests.environment import python_with

SCRIPTS = Path(__file__).parent / "scripts"
TEN_MILLION = 10_000_000

Command = Callable[[Source, Path], list[str]]
"""Returns the command for a source and an output folder. Installs missing packages first."""


@dataclass(frozen=True)
class Contender:
    """A program that reads the database and writes a star. The floor only reads."""

    name: str
    title: str
    command: Command
    tables: tuple[str, ...] = ()
    """The tables that it writes to `<folder>/<stage>/<table>/`."""
    packages: tuple[str, ...] = ()
    """Packages of its own environment; without any, it runs in the project's environment."""
    on_s3: bool = False
    most_lines: int | None = None
    """Maximum number of order lines; more would take too long or too much memory."""


def _floor(source: Source, _folder: Path) -> list[str]:
    url = make_url(source.url)
    selects = ";".join(f"select * from {name.removeprefix('raw/')}" for name in RAW)
    return [
        *source.server.client(),
        "--no-defaults",
        "--quick",
        "--batch",
        "--protocol=tcp",
        "--loose-get-server-public-key",  # needed to sign in to MySQL without TLS
        f"--host={url.host}",
        f"--port={url.port}",
        f"--user={url.username}",
        f"--password={url.password}",
        f"--execute={selects}",
        str(url.database),
    ]


def _own(script: str) -> Command:
    return lambda _source, folder: [sys.executable, str(SCRIPTS / f"{script}.py"), str(folder)]


def _peer(script: str, packages: tuple[str, ...]) -> Command:
    def command(source: Source, folder: Path) -> list[str]:
        python = python_with(f"bench-{script}", *packages)
        return [str(python), str(SCRIPTS / f"{script}.py"), source.url, str(folder)]

    return command


DLT = (
    "dlt[parquet,sql-database]==1.31.0",
    "connectorx==0.4.6",
    "duckdb==1.5.5",
    "pandas==3.1.1",
    "pyarrow==26.0.1",
    "pymysql==1.2.4",
    "sqlalchemy==2.1.9",
)
PANDAS = ("pandas==3.1.1", "pyarrow==26.0.1", "pymysql==1.2.4", "sqlalchemy==2.1.9")
SPARK = ("pyspark==3.5.4",)  # the version of Glue 5.0

FLOOR = Contender(
    "floor",
    "floor: the server's own client, --quick to /dev/null",
    _floor,
)
REFRESH = Contender(
    "refresh",
    "this project: refresh",
    _own("refresh"),
    (*RAW, *STAR),
)
REFRESH_TO_S3 = Contender(
    "refresh-s3",
    "this project: refresh to S3",
    _own("refresh"),
    (*RAW, *STAR),
    on_s3=True,
    most_lines=TEN_MILLION,
)
ENGINE = Contender(
    "engine",
    "this project: engine alone",
    _own("engine"),
    (*RAW, *STAR),
)
DLT_DUCKDB = Contender(
    "dlt",
    "dlt + DuckDB",
    _peer("dlt_duckdb", DLT),
    (*RAW, *STAR),
    DLT,
    most_lines=TEN_MILLION,
)
PANDAS_SQLALCHEMY = Contender(
    "pandas",
    "pandas + SQLAlchemy",
    _peer("pandas_sqlalchemy", PANDAS),
    (*RAW, *STAR),
    PANDAS,
    most_lines=TEN_MILLION,
)
SPARK_JOB = Contender(
    "spark",
    "Spark local[2], the usual Glue job",
    _peer("spark_glue", SPARK),
    tuple(table for table in STAR if table != "star/dim_dates"),
    SPARK,
    most_lines=TEN_MILLION,
)
CONTENDERS = (
    FLOOR,
    REFRESH,
    REFRESH_TO_S3,
    ENGINE,
    DLT_DUCKDB,
    PANDAS_SQLALCHEMY,
    SPARK_JOB,
)
