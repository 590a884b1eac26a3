"""Open the catalog that the settings name."""

from starschema_assets.catalog.catalog import Catalog
from starschema_assets.catalog.embedded import EmbeddedCatalog
from starschema_assets.lake.lake import Lake
from starschema_assets.settings import Settings


def open_catalog(settings: Settings, lake: Lake) -> Catalog:
    """Glue's if STARSCHEMA_GLUE_CRAWLER is set, else the embedded one."""
    if settings.glue_crawler:
        # boto3 takes a third of a second to import, which the embedded catalog doesn't need.
        from starschema_assets.catalog.glue import GlueCatalog  # noqa: PLC0415

        return GlueCatalog(settings)
    return EmbeddedCatalog(settings, lake)
