"""The interface of a catalog: crawl the lake, and describe the tables found."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Self

from starschema_assets.errors import StarschemaError
from starschema_assets.settings import Settings


class CatalogError(StarschemaError):
    """The catalog can't be crawled or read. The message says what to do."""


@dataclass(frozen=True)
class CatalogTable:
    """A table as the catalog describes it."""

    columns: tuple[tuple[str, str], ...]
    """Name and Athena type of each column, in the catalog's order and spelling."""
    location: str
    """Folder or `s3://` prefix of its files."""
    format: str
    """File format, e.g. `parquet`."""
    partition_keys: tuple[tuple[str, str], ...] = ()
    """Name and Athena type of each partition column. Tables of the star have none."""


@dataclass(frozen=True)
class Crawl:
    """Result of a crawl: the names of the tables that it changed or kept."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    """Tables with the same description as before. Their statistics may differ."""
    removed: tuple[str, ...]
    seconds: float
    links: Mapping[str, str] = field(default_factory=dict)
    """URLs of pages about the catalog, by title."""

    @classmethod
    def between(
        cls,
        before: Mapping[str, CatalogTable],
        after: Mapping[str, CatalogTable],
        seconds: float,
        links: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the result of a crawl from the catalog's tables before and after it."""
        kept = sorted(after.keys() & before.keys())
        return cls(
            added=tuple(sorted(after.keys() - before.keys())),
            updated=tuple(name for name in kept if after[name] != before[name]),
            unchanged=tuple(name for name in kept if after[name] == before[name]),
            removed=tuple(sorted(before.keys() - after.keys())),
            seconds=seconds,
            links=links or {},
        )


class Catalog(ABC):
    """A catalog of the star's tables, updated by crawls."""

    name: str
    """Description of the catalog for messages and the UI, with its location."""
    kind: str
    """Kind of the asset in the UI, e.g. `glue`."""

    @abstractmethod
    def crawl(self, log: Logger) -> Crawl:
        """Update the catalog from the lake, and wait until that is done. Raises CatalogError."""

    @abstractmethod
    def tables(self) -> Mapping[str, CatalogTable]:
        """Return the catalog's current tables by name. Raises CatalogError."""

    @abstractmethod
    def forget(self, name: str) -> None:
        """Remove a table that was deleted from the lake. Do nothing if it isn't in the catalog.

        Raises CatalogError.
        """


def open_catalog(settings: Settings) -> Catalog:
    """Return Glue's catalog if STARSCHEMA_GLUE_CRAWLER is set, else the embedded one."""
    # Imported here because both modules import this one, and boto3 takes a third of a second.
    if settings.glue_crawler:
        from starschema_assets.catalog.glue import GlueCatalog  # noqa: PLC0415

        return GlueCatalog(settings)
    from starschema_assets.catalog.embedded import EmbeddedCatalog  # noqa: PLC0415

    return EmbeddedCatalog(settings)
