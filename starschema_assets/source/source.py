"""The operational database, addressed by STARSCHEMA_SOURCE_URL."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from starschema_assets import engine
from starschema_assets.settings import Settings
from starschema_assets.source.database import Database, LeftOut, SourceColumn, SourceTable
from starschema_assets.source.duckdb_file import DuckDBFile
from starschema_assets.source.errors import SourceError, TableMissing
from starschema_assets.source.mysql import MySQL
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.types import UnsupportedType, source_type

__all__ = ["Source", "SourceColumn", "SourceTable"]


class Source:
    """What the database declares, and its rows in one snapshot; opens nothing until it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = _database(settings)

    @property
    def name(self) -> str:
        """What a lake remembers of the database that filled it."""
        return self._database.name

    def declared(self, tables: Iterable[str]) -> dict[str, SourceTable]:
        """Those of the tables that are there, as the source declares them.

        Raises TableMissing if none is.
        """
        found: dict[str, list[tuple[str, str, bool]]] = {}
        for table, column, type_, nullable in self._database.columns():
            found.setdefault(table, []).append((column, type_, nullable))
        keys = self._database.keys()
        wanted = list(tables)
        if wanted and found.keys().isdisjoint(wanted):
            raise TableMissing(
                f"{self._database.where}: there is no table {', '.join(wanted)} that the user may "
                f"SELECT from; there are: {', '.join(sorted(found)) or 'none'}"
            )
        return {
            table: _table(table, found[table], [column for of, column in keys if of == table])
            for table in wanted
            if table in found
        }

    def example(self, table: SourceTable, column: LeftOut) -> str:
        """One value of a column that is left out, as text."""
        return self._database.example(table.name, column.name, column.declared)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One consistent snapshot of all tables; raises ConnectionLost if it didn't last."""
        with engine.connect(self._settings) as connection:
            snapshot = Snapshot(self._database, connection, self._settings)
            yield snapshot
            snapshot.verify()


def _table(name: str, declared: Iterable[tuple[str, str, bool]], key: Iterable[str]) -> SourceTable:
    columns, left_out = [], []
    for column, type_, nullable in declared:
        try:
            columns.append(SourceColumn(column, type_, source_type(type_).athena, nullable))
        except UnsupportedType as error:
            left_out.append(LeftOut(column, type_, str(error)))
    return SourceTable(name, tuple(columns), tuple(key), tuple(left_out))


def _database(settings: Settings) -> Database:
    url = _url(settings)
    if url and url.get_backend_name() in {"mysql", "mariadb"}:
        return MySQL(url, settings)
    if settings.source_secret:
        raise SourceError(
            "STARSCHEMA_SOURCE_SECRET is set, so STARSCHEMA_SOURCE_URL must be of the form "
            "mysql+pymysql://host:3306/database"
        )
    if url and url.get_backend_name() == "duckdb":
        return DuckDBFile(url)
    raise SourceError(
        "STARSCHEMA_SOURCE_URL must be of the form mysql+pymysql://user:password@host:3306/database"
        " (characters such as @ / : % in the password URL-encoded), or duckdb:////absolute/path"
    )


def _url(settings: Settings) -> URL | None:
    """The URL, or None: the error of a URL that can't be read may quote a part of the password."""
    try:
        return make_url(settings.source_url.get_secret_value())
    except (ArgumentError, ValueError):
        return None
