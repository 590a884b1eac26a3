"""The audit of raw tables: what the source declares, and what a version of a table holds."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from starschema_assets import engine
from starschema_assets.contract import Contract, Reconciliation
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake
from starschema_assets.lake.parquet import read_footer
from starschema_assets.lake.provenance import mapping_of
from starschema_assets.quality import source
from starschema_assets.quality.finding import Finding
from starschema_assets.quality.rows import RowAudit, audit_table
from starschema_assets.settings import Settings

UsedBy = Mapping[str, Mapping[str, Sequence[str]]]
"""For each raw table, for each of its columns that something needs, what needs it."""


@dataclass(frozen=True)
class RawAudit:
    """Judges raw tables."""

    settings: Settings
    contracts: Sequence[Contract]
    """Of all raw tables."""
    used_by: UsedBy
    reconciliations: Sequence[Reconciliation] = ()
    """What the source is asked for beside its rows."""

    def declaration(
        self,
        contract: Contract,
        declared: Mapping[str, str] | None,
        published: Mapping[str, str] | None,
    ) -> Finding:
        """What the source declares now, against the contract and the last publication."""
        return source.source_schema(contract, declared, published, self.used_by[contract.table])

    def versions(self, files: Iterable[tuple[Contract, Path]]) -> Iterator[Finding]:
        """What the files hold, each by itself."""
        with engine.connect(self.settings) as connection:
            audit = RowAudit(engine.DuckDBTables(connection))
            for contract, file in files:
                engine.add_view(connection, contract.path, file)
                yield from self.version(audit, contract, file)

    def published(self, lake: Lake) -> Iterator[Finding]:
        """What the published tables hold, with the declaration that was recorded in them."""
        own: list[tuple[Contract, Path]] = []
        sources: dict[Contract, str] = {}
        for contract in self.contracts:
            try:
                file = lake.fetch(contract.path)
                entries = read_footer(file).metadata
            except (NotPublished, Unreadable) as error:
                yield source.no_origin(contract, str(error))
                continue
            if "source_rows" not in entries:
                yield source.no_origin(
                    contract,
                    f"{file} was not written by this pipeline: restore the table, or "
                    "materialize it again",
                )
                continue
            own.append((contract, file))
            declared = mapping_of(entries, "declared")
            sources[contract] = entries.get("source", "")
            yield self.declaration(contract, declared, published=None)
        for contract, name in sources.items():
            yield source.same_source(contract, name, sources.values())
        yield from self.versions(own)

    def version(self, audit: RowAudit, contract: Contract, file: Path) -> Iterator[Finding]:
        """What one file holds."""
        footer = read_footer(file)
        entries = footer.metadata
        declared = mapping_of(entries, "declared")
        present = replace(
            contract, columns=tuple(c for c in contract.columns if c.name in declared)
        )
        yield from audit_table(audit, present, footer.schema, declared)
        yield source.row_count(contract, footer.rows, int(entries["source_rows"]))
        yield source.row_loss(
            contract, footer.rows, int(entries["rows_before"]), self.settings.max_row_loss
        )
        yield source.exact_values(contract, mapping_of(entries, "nulled_dates"))
        yield source.all_columns(contract, mapping_of(entries, "left_out"))
        if contract.grouped:
            yield source.one_spelling(contract, json.loads(entries.get("spellings", "[]")))
