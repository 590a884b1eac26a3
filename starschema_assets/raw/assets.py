"""The assets raw/<table>: extracted together, in one snapshot of the source."""

from collections.abc import Iterator

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    AssetOut,
    AssetsDefinition,
    AssetSpec,
    Output,
    ResourceParam,
    RetryRequested,
    multi_asset,
)

from starschema_assets.contract import Contract
from starschema_assets.lake.lake import Lake
from starschema_assets.orchestration.io_manager import Audited, publish
from starschema_assets.orchestration.presentation import OWNERS, catalog_tags, definition_metadata
from starschema_assets.orchestration.reports import (
    AuditConfig,
    clear_failure,
    gate,
    specs_of,
    verify_accepted,
)
from starschema_assets.raw.audit import RawAudit
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.raw.extraction import Extraction
from starschema_assets.source.errors import ConnectionLost, Unreachable
from starschema_assets.source.source import Source

CONNECTION_RETRIES = 3
RETRY_SECONDS = 10

Step = Iterator[AssetCheckResult | Output[Audited]]


def raw_assets(audit: RawAudit, lake: Lake) -> AssetsDefinition:
    """All raw tables as one step that can be run for any of them."""

    @multi_asset(
        name="raw_tables",
        outs={
            contract.table: AssetOut.from_spec(_spec(contract, lake), is_required=False)
            for contract in CONTRACTS
        },
        check_specs=specs_of(CONTRACTS),
        can_subset=True,
    )
    def raw_tables(
        context: AssetExecutionContext, config: AuditConfig, source: ResourceParam[Source]
    ) -> Step:
        """Extract in one snapshot, audit every table, and only then publish the first.

        Without a table to extract, audit those that are published.
        """
        verify_accepted(config, CONTRACTS)
        selected = [c for c in CONTRACTS if AssetKey(c.path) in context.selected_asset_keys]
        if not selected:
            with clear_failure():
                yield from gate(audit.published(lake), config)
            return
        with clear_failure(), lake.lock(f"run {context.run.run_id}", context.log) as lease:
            extraction = Extraction(source, lake, audit, context.run.run_id, context.log)
            try:
                findings, staged = extraction.stage(selected, config.accept)
            except (ConnectionLost, Unreachable) as lost:
                # A server that a retry can't reach is one that is still coming back.
                is_worth_it = isinstance(lost, ConnectionLost) or context.retry_number > 0
                if is_worth_it and context.retry_number < CONNECTION_RETRIES:
                    raise RetryRequested(CONNECTION_RETRIES, RETRY_SECONDS) from lost
                raise
            yield from gate(findings, config)
            yield from publish(lake, lease, staged)

    return raw_tables


def _spec(contract: Contract, lake: Lake) -> AssetSpec:
    return AssetSpec(
        contract.path,
        description=f"{contract.description}\n\nGrain: {contract.grain}. "
        f"Key: {', '.join(contract.key)}.\n\nAs it came from the source, in one snapshot with the "
        "other raw tables of its run.",
        group_name="raw",
        kinds={"mysql", "parquet"},
        owners=OWNERS,
        tags=catalog_tags(contract),
        metadata=definition_metadata(contract, lake.uri(contract.path)),
    )
