"""The catalog without AWS: a DuckDB file with one view per star table."""

import logging
import time
from collections.abc import Mapping

import duckdb

from starschema_assets import engine
from starschema_assets.catalog.catalog import Catalog, CatalogError, CatalogTable, Crawl
from starschema_assets.lake.lake import name_of, open_lake
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS
from starschema_assets.types import source_type

_VIEWS = """
select
    views.view_name,
    views.comment,
    list(columns.column_name order by columns.column_index),
    list(columns.data_type order by columns.column_index)
from duckdb_views() as views
join duckdb_columns() as columns on columns.table_oid = views.view_oid
where not views.internal
group by all
"""


class EmbeddedCatalog(Catalog):
    """A DuckDB file. Each crawl replaces the whole file, so open connections don't block it."""

    kind = "duckdb"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = open_lake(settings)
        self.name = f"the embedded catalog {settings.catalog}"

    def crawl(self, log: logging.Logger) -> Crawl:
        """Create one view per published table of the star."""
        start = time.monotonic()
        before = self.tables()
        file = self.settings.catalog
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogError(f"STARSCHEMA_CATALOG: can't create the folder: {error}") from error
        unfinished = file.with_name(f"{file.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        with duckdb.connect(unfinished) as connection:
            engine.read_from_lake(connection, self.settings)
            for table in self.lake.tables("star"):
                log.info("Found %s", name_of(table))
                _add(connection, table[-1], self.lake.uri(table))
        unfinished.replace(file)
        return Crawl.between(before, self.tables(), time.monotonic() - start)

    def forget(self, name: str) -> None:
        """Create all views again, from the tables that still exist."""
        if name in self.tables():
            self.crawl(logging.Logger(__name__))  # noqa: LOG001 - without the console

    def tables(self) -> Mapping[str, CatalogTable]:
        """Return the file's views; {} if the file doesn't exist yet."""
        if not self.settings.catalog.exists():
            return {}
        with duckdb.connect(self.settings.catalog, read_only=True) as connection:
            return {
                name: CatalogTable(
                    tuple(
                        (column, source_type(type_).athena)
                        for column, type_ in zip(columns, types, strict=True)
                    ),
                    location=location,
                    format="parquet",
                )
                for name, location, columns, types in connection.execute(_VIEWS).fetchall()
            }


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Open the catalog for queries. Raises CatalogError if it doesn't exist yet."""
    if not settings.catalog.exists():
        raise CatalogError(f"{settings.catalog} does not exist yet: `make run` creates it")
    connection = duckdb.connect(settings.catalog, read_only=True)
    engine.read_from_lake(connection, settings)
    return connection


def _add(connection: duckdb.DuckDBPyConnection, name: str, file: str) -> None:
    view = engine.quoted(name)
    connection.execute(f"create view {view} as from read_parquet({engine.literal(file)})")
    connection.execute(f"comment on view {view} is {engine.literal(file.rpartition('/')[0])}")
    contract = next((m.contract for m in MODELS if m.contract.table == name), None)
    known = {column.name: column.description for column in contract.columns} if contract else {}
    for column in connection.sql(f"from {view}").columns:
        if column in known:
            connection.execute(
                f"comment on column {view}.{engine.quoted(column)} "
                f"is {engine.literal(known[column])}"
            )
