"""The audit of star tables: each by itself, against its source, and the references between them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from starschema_assets.lake.parquet import Footer
from starschema_assets.lake.provenance import figures_of, mapping_of
from starschema_assets.quality import star as star_audit
from starschema_assets.quality.audit import audit_references, audit_table
from starschema_assets.quality.checks import FACT
from starschema_assets.quality.finding import Finding
from starschema_assets.quality.rows import RowAudit
from starschema_assets.quality.tables import Tables
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS, Model

KEYS = {model.contract.table: model.contract.key for model in MODELS}


class StarAudit:
    """Judges star tables, in the engine that holds them."""

    def __init__(self, tables: Tables, settings: Settings) -> None:
        self._tables = tables
        self._rows = RowAudit(tables)
        self._settings = settings

    def findings(self, models: Sequence[Model], present: Mapping[str, Footer]) -> Iterator[Finding]:
        """Judge the given tables, and the references of all others to them.

        `present` has the footer of each table that can be read, be it judged or referred to.
        """
        changed = {model.contract.table for model in models}
        for model in MODELS:
            if model.contract.table not in present:
                continue
            if model in models:
                yield from self._table(model, present[model.contract.table])
            only = None if model in models else changed
            yield from audit_references(self._rows, model.contract, KEYS, present, only)

    def _table(self, model: Model, footer: Footer) -> Iterator[Finding]:
        contract = model.contract
        table = list(audit_table(self._rows, contract, footer.schema))
        yield from table
        snapshots = mapping_of(footer.metadata, "raw_snapshots")
        yield star_audit.one_snapshot(contract, snapshots)
        if contract.table == FACT and table[0].passed:
            figures = figures_of(footer.metadata)
            yield star_audit.matches_source(self._tables, contract, figures)
            today = datetime.now(UTC).date()
            yield star_audit.newest_order(
                self._tables, contract, today, self._settings.max_order_age
            )
