"""Extracts raw tables from one snapshot of the source, stages and audits them."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from logging import Logger
from pathlib import Path

from starschema_assets import engine
from starschema_assets.contract import Contract, Reconciliation
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable, mapping_of
from starschema_assets.lake.parquet import Footer, read_footer
from starschema_assets.quality import files
from starschema_assets.quality.audit import RowAudit, audit_table
from starschema_assets.quality.files import Finding, accept
from starschema_assets.quality.reconciliation import ask_source
from starschema_assets.settings import Settings
from starschema_assets.source.errors import ValueRefused
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.source.source import Source, SourceTable

PROGRESS_SECONDS = 5

UsedBy = Mapping[str, Mapping[str, Sequence[str]]]
"""For each raw table and each of its columns in use, the models that use it."""


@dataclass(frozen=True)
class RawAudit:
    """Audits raw tables."""

    settings: Settings
    contracts: Sequence[Contract]
    """The contracts of all raw tables."""
    used_by: UsedBy
    reconciliations: Sequence[Reconciliation] = ()
    """Sums that the source computes in addition to the rows."""

    def declaration(
        self,
        contract: Contract,
        declared: Mapping[str, str] | None,
        published: Mapping[str, str] | None,
    ) -> Finding:
        """Compare the source's current columns with the contract and the last publication."""
        return files.source_schema(contract, declared, published, self.used_by[contract.table])

    def published(self, lake: Lake) -> Iterator[Finding]:
        """Audit the published tables, with the source columns that are recorded in them."""
        own: list[tuple[Contract, Path]] = []
        sources: dict[Contract, str] = {}
        for contract in self.contracts:
            try:
                file = lake.fetch(contract.path)
                entries = read_footer(file).metadata
            except (NotPublished, Unreadable) as error:
                yield files.no_origin(contract, str(error))
                continue
            if "source_rows" not in entries:
                yield files.no_origin(
                    contract,
                    f"{file} was not written by this pipeline: restore or rematerialize the table",
                )
                continue
            own.append((contract, file))
            declared = mapping_of(entries, "declared")
            sources[contract] = entries.get("source", "")
            yield self.declaration(contract, declared, published=None)
        for contract, name in sources.items():
            yield files.same_source(contract, name, sources.values())
        for contract, file in own:
            yield from self.version(contract, file)

    def version(self, contract: Contract, file: Path) -> list[Finding]:
        """Audit one file."""
        with engine.connect(self.settings) as connection:
            engine.add_view(connection, contract.path, file)
            audit = RowAudit(engine.DuckDBTables(connection))
            return list(self._findings(audit, contract, file))

    def _findings(self, audit: RowAudit, contract: Contract, file: Path) -> Iterator[Finding]:
        footer = read_footer(file)
        entries = footer.metadata
        declared = mapping_of(entries, "declared")
        present = replace(
            contract, columns=tuple(c for c in contract.columns if c.name in declared)
        )
        yield from audit_table(audit, present, footer.schema, declared)
        yield files.row_count(contract, footer.rows, int(entries["source_rows"]))
        yield files.row_loss(
            contract, footer.rows, int(entries["rows_before"]), self.settings.max_row_loss
        )
        yield files.exact_values(contract, mapping_of(entries, "nulled_dates"))
        yield files.all_columns(contract, mapping_of(entries, "left_out"))
        if contract.grouped:
            yield files.one_spelling(contract, json.loads(entries.get("spellings", "[]")))


@dataclass(frozen=True)
class Extraction:
    """Copies tables from the source into the lake's staging, for one run."""

    source: Source
    lake: Lake
    audit: RawAudit
    run_id: str
    log: Logger

    def stage(
        self, contracts: Sequence[Contract], accepted: Collection[str]
    ) -> tuple[list[Finding], list[StagedTable]]:
        """Stage the tables from one snapshot.

        No rows are read if the source's columns don't match a contract, or if the published tables
        are from another database and this isn't `accepted`.
        """
        declared = self.source.declared(contract.table for contract in contracts)
        published = {contract.table: self._published(contract) for contract in self.audit.contracts}
        sources = [f.metadata.get("source", "") for f in published.values() if f]
        same = [files.same_source(contract, self.source.name, sources) for contract in contracts]
        findings = [
            *accept(same, accepted),  # here, because a blocked table isn't even read
            *(
                self._declaration(
                    contract, declared.get(contract.table), _types_of(published[contract.table])
                )
                for contract in contracts
            ),
        ]
        if any(finding.blocks for finding in findings):
            return findings, []
        staged: list[StagedTable] = []
        audits: list[Future[list[Finding]]] = []
        # A file is audited while the next table is read
        with self.source.snapshot() as snapshot, ThreadPoolExecutor(1) as beside:
            for contract in contracts:
                try:
                    table = self._stage(
                        contract, declared[contract.table], snapshot, published[contract.table]
                    )
                except ValueRefused as refused:
                    findings.append(files.refused_values(contract, str(refused)))
                else:
                    staged.append(table)
                    audits.append(beside.submit(self.audit.version, contract, table.path))
        return [*findings, *(found for audit in audits for found in audit.result())], staged

    def _declaration(
        self, contract: Contract, table: SourceTable | None, published: Mapping[str, str] | None
    ) -> Finding:
        """Audit the source's columns. Types of contract columns must be supported."""
        if table is None:
            return self.audit.declaration(contract, None, published)
        personal = {column.name: column.personal for column in contract.columns}
        refused = [
            f"{contract.table}.{column.name}: {column.reason} (a value: "
            f"{'***' if personal[column.name] else self.source.example(table, column)})"
            for column in table.left_out
            if column.name in personal
        ]
        if refused:
            needed = "but the contract needs it: read a view that casts it"
            return files.refused_values(contract, f"{'; '.join(refused)}, {needed}")
        left_out = {column.name for column in table.left_out}  # all_columns reports these
        before = (
            {n: type_ for n, type_ in published.items() if n not in left_out} if published else None
        )
        return self.audit.declaration(contract, _types(table), before)

    def _stage(
        self,
        contract: Contract,
        table: SourceTable,
        snapshot: Snapshot,
        published: Footer | None,
    ) -> StagedTable:
        counted, sums = None, {}
        for declared in self.audit.reconciliations:
            if declared.table == contract.table:
                counted, found = ask_source(snapshot.figures, snapshot.quoted, declared)
                sums[declared.entry] = json.dumps(found)
        source_rows = snapshot.count(table, counted)
        spellings = snapshot.spellings(table, contract.grouped)
        entries = sums | {
            "source": self.source.name,
            "former_sources": json.dumps(_former_sources(published, self.source.name)),
            "snapshot": snapshot.id,
            "declared": json.dumps({column.name: column.type for column in table.columns}),
            "source_rows": str(source_rows),
            "rows_before": str(published.rows if published else 0),
            "left_out": json.dumps({column.name: column.reason for column in table.left_out}),
            "spellings": json.dumps([asdict(each) for each in spellings]),
            "nulled_dates": json.dumps(snapshot.zero_dates.get(table.name, {})),
        }
        reader = snapshot.read(table, report_progress(contract.name, source_rows, self.log))
        return self.lake.stage(contract.path, reader, self.run_id, metadata=entries)

    def _published(self, contract: Contract) -> Footer | None:
        try:
            return self.lake.footer(contract.path)
        except NotPublished:
            return None
        except Unreadable as error:
            self.log.warning("%s: the published file can't be read: %s", contract.name, error)
            return None


def _former_sources(published: Footer | None, source: str) -> list[str]:
    """Return the databases that the table was read from before. Each change was accepted."""
    entries = published.metadata if published else {}
    former = {entries.get("source", ""), *json.loads(entries.get("former_sources", "[]"))}
    return sorted(former - {source, ""})


def _types(table: SourceTable) -> Mapping[str, str]:
    return {column.name: column.type for column in table.columns}


def _types_of(published: Footer | None) -> Mapping[str, str] | None:
    return files.types_of(published.schema) if published else None


def report_progress(name: str, expected: int, log: Logger) -> Callable[[int], None]:
    """Return a function that logs the number of rows read, the total and the rate."""
    start = last = time.monotonic()

    def report(rows: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS:
            last = now
            rate = rows / (now - start)
            log.info("%s: %s of %s rows, %s per s", name, *map(_number, (rows, expected, rate)))

    return report


def _number(number: float) -> str:
    return f"{number:,.0f}"
