"""The assets raw/<table> and star/<table>. Each stage is one step: build, audit, then publish."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    AssetOut,
    AssetsDefinition,
    AssetSpec,
    BetaWarning,
    CodeReferencesMetadataValue,
    FreshnessPolicy,
    LocalFileCodeReference,
    MaterializeResult,
    ResourceParam,
    RetryRequested,
    TableColumnDep,
    TableColumnLineage,
    multi_asset,
)

from starschema_assets.contract import Contract
from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import Lake, StagedTable, open_lake
from starschema_assets.model import Model
from starschema_assets.orchestration.pipes import run_job
from starschema_assets.orchestration.reports import (
    OWNERS,
    THE_LAKE,
    AuditConfig,
    StarConfig,
    catalog_tags,
    clear_failure,
    definition_metadata,
    gate,
    specs_of,
    verify_accepted,
)
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.raw.extraction import Extraction, RawAudit
from starschema_assets.settings import Settings
from starschema_assets.source.errors import ConnectionLost, Unreachable
from starschema_assets.source.source import Source
from starschema_assets.star.discovery import FOLDER
from starschema_assets.star.models import HISTORIES, MODELS, reconciliations, used_by
from starschema_assets.star.rebuilding import Rebuilding
from starschema_assets.star.transformation import Transformation

CONNECTION_RETRIES = 3
RETRY_SECONDS = 10
FRESHNESS = FreshnessPolicy.time_window(
    fail_window=timedelta(hours=36), warn_window=timedelta(hours=26)
)
"""For a daily refresh: two hours late is a warning, a missed refresh is a failure."""

JOB = FOLDER / "job.py"
"""The script that builds the star on Spark."""

Step = Iterator[AssetCheckResult | MaterializeResult[Any]]


def raw_assets(settings: Settings) -> AssetsDefinition:
    """Return the raw tables as one step. Any subset of them can be materialized."""
    audit = RawAudit(settings, CONTRACTS, used_by(), reconciliations())
    uri = open_lake(settings).uri

    @multi_asset(
        name="raw_tables",
        outs={
            "_".join(contract.path): AssetOut.from_spec(
                _spec(
                    contract,
                    "Unchanged copy of the source's table, from the same snapshot as the other raw "
                    "tables of its run.",
                    kinds={"mysql", "parquet"},
                    metadata=definition_metadata(contract, uri(contract.path)),
                ),
                is_required=False,
            )
            for contract in CONTRACTS
        },
        check_specs=specs_of(CONTRACTS),
        can_subset=True,
    )
    def raw_tables(
        context: AssetExecutionContext,
        config: AuditConfig,
        source: ResourceParam[Source],
        lake: ResourceParam[Lake],
    ) -> Step:
        """Extract all tables in one snapshot, audit them all, then publish.

        If no tables are selected, only checks, audit the published tables.
        """
        verify_accepted(config, CONTRACTS)
        selected = [c for c in CONTRACTS if AssetKey(c.path) in context.selected_asset_keys]
        if not selected:
            with clear_failure():
                yield from gate(audit.published(lake), config)
            return
        with clear_failure(), lake.lock(f"run {context.run.run_id}", context.log):
            extraction = Extraction(source, lake, audit, context.run.run_id, context.log)
            try:
                findings, staged = extraction.stage(selected, config.accept)
            except (ConnectionLost, Unreachable) as lost:
                # Unreachable is retried only after a lost connection: the server may be restarting
                is_worth_it = isinstance(lost, ConnectionLost) or context.retry_number > 0
                if is_worth_it and context.retry_number < CONNECTION_RETRIES:
                    raise RetryRequested(CONNECTION_RETRIES, RETRY_SECONDS) from lost
                raise
            yield from gate(findings, config)
            yield from _published(lake, staged)

    return raw_tables


def star_assets(settings: Settings) -> AssetsDefinition:
    """Return the star tables as one step. Any subset of them can be materialized."""
    contracts = [model.contract for model in MODELS]
    uri = open_lake(settings).uri
    engine = "duckdb" if settings.engine == "duckdb" else "spark"

    @multi_asset(
        name="star_tables",
        outs={
            "_".join(model.contract.path): AssetOut.from_spec(
                _spec(
                    model.contract,
                    f"```sql\n{model.sql}\n```",
                    kinds={"sql", "parquet", engine},
                    freshness_policy=FRESHNESS,
                    metadata=definition_metadata(
                        model.contract, uri(model.contract.path), model.column_lineage
                    )
                    | {"dagster/code_references": _code(model)},
                ),
                is_required=False,
            )
            for model in MODELS
        },
        deps=sorted({_raw_key(table) for model in MODELS for table in model.raw_tables}),
        internal_asset_deps={"_".join(m.contract.path): set(_upstream(m)) for m in MODELS},
        check_specs=specs_of(contracts),
        can_subset=True,
    )
    def star_tables(
        context: AssetExecutionContext, config: StarConfig, lake: ResourceParam[Lake]
    ) -> Step:
        """Build and audit all tables, then publish: dimensions first, the fact last.

        If no tables are selected, only checks, audit the published tables.
        """
        verify_accepted(config, contracts)
        keys = context.selected_asset_keys
        selected = [model for model in MODELS if AssetKey(model.contract.path) in keys]
        lineage = {AssetKey(model.contract.path): _lineage(model) for model in selected}
        if engine == "duckdb" or config.rebuild_histories:
            step = _run_here(context, config, settings, lake, selected)
        else:
            tables = [model.contract.table for model in selected]
            step = run_job(context, settings, JOB, tables, contracts, config)
        with clear_failure():
            for result in step:
                if isinstance(result, MaterializeResult) and result.asset_key:
                    columns = {"dagster/column_lineage": lineage[result.asset_key]}
                    yield result._replace(metadata={**(result.metadata or {}), **columns})
                else:
                    yield result

    return star_tables


def _run_here(
    context: AssetExecutionContext,
    config: StarConfig,
    settings: Settings,
    lake: Lake,
    selected: Sequence[Model],
) -> Step:
    # An audit also holds the lock, because no table may be replaced while all are checked
    with (
        lake.lock(f"run {context.run.run_id}", context.log),
        closing(DuckDBEngine(lake.fetch, settings)) as engine,
    ):
        rebuilt = None
        if selected and (source := config.rebuild_histories):
            rebuilding = Rebuilding(lake, settings, HISTORIES, context.run.run_id, context.log)
            rebuilt = rebuilding.stage(None if source == THE_LAKE else Path(source))
        transformation = Transformation(engine, lake, settings, MODELS, rebuilt)
        staged = transformation.stage(selected, context.run.run_id)
        yield from gate(transformation.findings(selected or MODELS), config)
        yield from _published(lake, staged)


def _published(lake: Lake, staged: Sequence[StagedTable]) -> Step:
    """Upload all audited tables, then yield them to the IO manager, which publishes them."""
    for table in staged:
        lake.upload(table)
    for table in staged:
        yield MaterializeResult(asset_key=table.table, value=table)


def _spec(contract: Contract, more: str, **attributes: Any) -> AssetSpec:
    return AssetSpec(
        contract.path,
        description=f"{contract.description}\n\nGrain: {contract.grain}. "
        f"Key: {', '.join(contract.key)}.\n\n{more}",
        group_name=contract.stage,
        owners=OWNERS,
        tags=catalog_tags(contract),
        **attributes,
    )


def _raw_key(table: str) -> AssetKey:
    return AssetKey(["raw", table])


def _upstream(model: Model) -> Iterator[AssetKey]:
    """Yield the assets that a star table depends on.

    A history may refer to a table that is built from this history. The table must be published
    first, so that its keys exist when the history refers to them. Dagster publishes an asset after
    its dependencies, so the table depends on the history's raw tables instead.
    """
    yield from map(_raw_key, model.raw_tables)
    for history in model.read_histories:
        if model.contract.table in {key.references for key in history.contract.foreign_keys}:
            yield from map(_raw_key, history.raw_tables)
        else:
            yield AssetKey(history.contract.path)


def _code(model: Model) -> CodeReferencesMetadataValue:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)  # only a link in the UI
        return CodeReferencesMetadataValue(
            code_references=[
                LocalFileCodeReference(file_path=str(path), line_number=1, label=path.name)
                for path in model.paths
            ]
        )


def _lineage(model: Model) -> TableColumnLineage:
    return TableColumnLineage(
        {
            column: [TableColumnDep(_raw_key(table), name) for table, name in origins]
            for column, origins in model.column_lineage.items()
        }
    )
