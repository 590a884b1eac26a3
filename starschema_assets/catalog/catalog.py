"""A catalog as its users see it: crawl the lake, then find tables in it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Self

from starschema_assets.errors import StarschemaError
from starschema_assets.settings import Settings


class CatalogError(StarschemaError):
    """The crawl did not happen, or its outcome can't be trusted; the message says what to do."""


@dataclass(frozen=True)
class CatalogTable:
    """A table as the catalog describes it."""

    columns: tuple[tuple[str, str], ...]
    """Name and Athena type of each column, in the catalog's order and spelling."""
    location: str
    """Where its files are: a folder, or an `s3://` prefix."""
    format: str
    """How its files are read, e.g. `parquet`."""
    partition_keys: tuple[tuple[str, str], ...] = ()
    """Name and Athena type of each column that is read from the path; the star has none."""


@dataclass(frozen=True)
class Crawl:
    """What a crawl did, by name of table."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    """Described as before; its statistics, which each crawl writes, may be others."""
    removed: tuple[str, ...]
    seconds: float
    links: Mapping[str, str] = field(default_factory=dict)
    """Pages about the catalog, by what they show."""

    @classmethod
    def between(
        cls,
        before: Mapping[str, CatalogTable],
        after: Mapping[str, CatalogTable],
        seconds: float,
        links: Mapping[str, str] | None = None,
    ) -> Self:
        """What a crawl did that found the catalog in one state and left it in another."""
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
    """Knows the star's tables after a crawl."""

    name: str
    """For messages and the UI: what the catalog is, and where."""
    kind: str
    """What the UI shows it as."""

    @abstractmethod
    def crawl(self, log: Logger) -> Crawl:
        """Bring the catalog up to date with the lake, and return when that is done.

        Raises CatalogError.
        """

    @abstractmethod
    def tables(self) -> Mapping[str, CatalogTable]:
        """The tables that the catalog has now, by name."""

    @abstractmethod
    def forget(self, name: str) -> None:
        """Remove a table that the lake has no more, if the catalog has it. Raises CatalogError."""


def open_catalog(settings: Settings) -> Catalog:
    """Glue's if STARSCHEMA_GLUE_CRAWLER is set, else the embedded one."""
    # Here, since both import this module, and boto3 takes a third of a second.
    if settings.glue_crawler:
        from starschema_assets.catalog.glue import GlueCatalog  # noqa: PLC0415

        return GlueCatalog(settings)
    from starschema_assets.catalog.embedded import EmbeddedCatalog  # noqa: PLC0415

    return EmbeddedCatalog(settings)
