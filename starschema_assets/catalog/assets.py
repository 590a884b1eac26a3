"""The asset catalog/star_schema: crawls the star and checks the catalog against the lake."""

from collections.abc import Iterator

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    multi_asset,
)

from starschema_assets.catalog.catalog import Catalog, CatalogTable, Crawl, open_catalog
from starschema_assets.catalog.comparison import differences
from starschema_assets.lake.lake import Lake, name_of
from starschema_assets.orchestration.reports import OWNERS, clear_failure
from starschema_assets.processes import verify_not_ended
from starschema_assets.quality.files import types_of
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS

KEY = AssetKey(["catalog", "star_schema"])
MATCHES = "matches_files"
STRAY = "no_stray_tables"
UNNAMED = "no_unnamed_tables"


def catalog_assets(settings: Settings) -> AssetsDefinition:
    """Return the crawl as an asset downstream of the star."""
    described = open_catalog(settings)

    @multi_asset(
        name="catalog_star_schema",
        specs=[
            AssetSpec(
                KEY,
                deps=[AssetKey(model.contract.path) for model in MODELS],
                description="The star's tables in the catalog that Athena or DuckDB reads, as of "
                f"the last crawl: {described.name}.",
                group_name="catalog",
                kinds={described.kind},
                owners=OWNERS,
            )
        ],
        check_specs=[
            AssetCheckSpec(
                MATCHES,
                asset=KEY,
                description="The catalog's columns, types, column order and location of each star "
                "table match its contract and its file.",
                blocking=True,
            ),
            AssetCheckSpec(
                STRAY, asset=KEY, description="Every table of the catalog exists in the lake."
            ),
            AssetCheckSpec(
                UNNAMED,
                asset=KEY,
                description="Every published raw and star table has a contract.",
            ),
        ],
        can_subset=True,
    )
    def catalog_star_schema(
        context: AssetExecutionContext,
        catalog: ResourceParam[Catalog],
        lake: ResourceParam[Lake],
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        """Crawl, then check. If only checks are selected, don't crawl."""
        with clear_failure():
            if context.selected_asset_keys:
                verify_not_ended(context.instance, context.run.run_id)
                crawl = catalog.crawl(context.log)
                yield MaterializeResult(asset_key=KEY, metadata=_metadata(crawl))
            yield from _checks(catalog, lake)

    return catalog_star_schema


def _metadata(crawl: Crawl) -> dict[str, MetadataValue]:
    return {
        "tables added": MetadataValue.text(", ".join(crawl.added) or "none"),
        "tables updated": MetadataValue.text(", ".join(crawl.updated) or "none"),
        "tables unchanged": MetadataValue.text(", ".join(crawl.unchanged) or "none"),
        "tables removed": MetadataValue.text(", ".join(crawl.removed) or "none"),
        "seconds": MetadataValue.float(crawl.seconds),
        **{name: MetadataValue.url(url) for name, url in crawl.links.items()},
    }


def _checks(catalog: Catalog, lake: Lake) -> Iterator[AssetCheckResult]:
    tables = {name.lower(): table for name, table in catalog.tables().items()}
    published = lake.tables("star")
    found = [line for path in published for line in _differences(path, tables, lake)]
    yield AssetCheckResult(
        asset_key=KEY,
        check_name=MATCHES,
        passed=not found,
        description="; ".join(found) or None,
        metadata={"differences": len(found)},
    )
    stray = sorted(tables.keys() - {path[-1].lower() for path in published})
    yield AssetCheckResult(
        asset_key=KEY,
        check_name=STRAY,
        passed=not stray,
        severity=AssetCheckSeverity.WARN,
        description=", ".join(stray) or None,
    )
    named = {contract.path for contract in (*CONTRACTS, *(m.contract for m in MODELS))}
    unnamed = [name_of(t) for t in (*lake.tables("raw"), *published) if t not in named]
    yield AssetCheckResult(
        asset_key=KEY,
        check_name=UNNAMED,
        passed=not unnamed,
        severity=AssetCheckSeverity.WARN,
        description=f"{', '.join(unnamed)}: no contract. `make forget TABLE=unnamed` removes them"
        if unnamed
        else None,
    )


def _differences(
    path: tuple[str, ...], tables: dict[str, CatalogTable], lake: Lake
) -> Iterator[str]:
    contract = next((m.contract for m in MODELS if m.contract.path == path), None)
    return differences(
        path[-1],
        tables.get(path[-1].lower()),
        file=types_of(lake.footer(path).schema),
        contract={c.name: c.type for c in contract.columns} if contract else None,
        folder=lake.uri(path).rpartition("/")[0],
    )
