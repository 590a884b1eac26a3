"""The assets star/<table>: made together from the raw tables, each by its SQL file."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

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
    Output,
    TableColumnDep,
    TableColumnLineage,
    multi_asset,
)

from starschema_assets.lake.lake import Lake
from starschema_assets.model import Model
from starschema_assets.orchestration.io_manager import Audited, Elsewhere, publish
from starschema_assets.orchestration.pipes import run_job
from starschema_assets.orchestration.presentation import OWNERS, catalog_tags, definition_metadata
from starschema_assets.orchestration.reports import (
    AuditConfig,
    clear_failure,
    gate,
    specs_of,
    verify_accepted,
)
from starschema_assets.settings import Settings
from starschema_assets.star.duckdb_engine import DuckDBEngine
from starschema_assets.star.models import MODELS
from starschema_assets.star.transformation import Transformation

FRESHNESS = FreshnessPolicy.time_window(
    fail_window=timedelta(hours=36), warn_window=timedelta(hours=26)
)
"""A daily refresh that is two hours late is worth a look; one that was missed is a failure."""

JOB = Path(__file__).parent / "job.py"
"""The script that makes the star on Spark."""

Step = Iterator[AssetCheckResult | Output[Audited] | Output[Elsewhere]]


def star_assets(settings: Settings, lake: Lake) -> AssetsDefinition:
    """All star tables as one step that can be run for any of them."""
    kinds = {"sql", "parquet", "duckdb" if settings.engine == "duckdb" else "spark"}

    @multi_asset(
        name="star_tables",
        outs={
            model.contract.table: AssetOut.from_spec(_spec(model, lake, kinds), is_required=False)
            for model in MODELS
        },
        deps=sorted({_raw_key(table) for model in MODELS for table in model.raw_tables}),
        internal_asset_deps={
            model.contract.table: {_raw_key(table) for table in model.raw_tables}
            for model in MODELS
        },
        check_specs=specs_of(model.contract for model in MODELS),
        can_subset=True,
    )
    def star_tables(context: AssetExecutionContext, config: AuditConfig) -> Step:
        """Make and audit every table, and only then publish the first: dimensions, then the fact.

        Without a table to make, audit those that are published.
        """
        verify_accepted(config, (model.contract for model in MODELS))
        keys = context.selected_asset_keys
        selected = [model for model in MODELS if AssetKey(model.contract.path) in keys]
        if settings.engine == "duckdb":
            step = _run_here(context, config, selected)
        else:
            tables = [model.contract.table for model in selected]
            contracts = [model.contract for model in MODELS]
            step = run_job(context, settings, JOB, tables, contracts, config)
        lineage = {model.contract.table: _lineage(model) for model in selected}
        with clear_failure():
            for result in step:
                if isinstance(result, Output):
                    told = {"dagster/column_lineage": lineage[result.output_name]}
                    yield result.with_metadata(told)
                else:
                    yield result

    def _run_here(
        context: AssetExecutionContext, config: AuditConfig, selected: Sequence[Model]
    ) -> Step:
        # An audit holds the lock as well: the tables are judged together, so none may be replaced
        with (
            lake.lock(f"run {context.run.run_id}", context.log) as lease,
            closing(DuckDBEngine(lake, settings)) as engine,
        ):
            transformation = Transformation(engine, lake, settings, MODELS)
            staged = transformation.stage(selected, context.run.run_id)
            yield from gate(transformation.findings(selected or MODELS), config)
            yield from publish(lake, lease, staged)

    return star_tables


def _raw_key(table: str) -> AssetKey:
    return AssetKey(["raw", table])


def _spec(model: Model, lake: Lake, kinds: set[str]) -> AssetSpec:
    contract = model.contract
    return AssetSpec(
        contract.path,
        description=f"{contract.description}\n\nGrain: {contract.grain}. "
        f"Key: {', '.join(contract.key)}.\n\n```sql\n{model.sql}\n```",
        group_name="star",
        kinds=kinds,
        owners=OWNERS,
        tags=catalog_tags(contract),
        freshness_policy=FRESHNESS,
        metadata=definition_metadata(contract, lake.uri(contract.path), model.column_lineage)
        | {"dagster/code_references": _code(model)},
    )


def _code(model: Model) -> CodeReferencesMetadataValue:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)  # a link in the UI: no harm if it changes
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
