"""One extraction: raw tables as they stand in one snapshot of the source, staged and audited."""

import json
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from logging import Logger
from pathlib import Path
from queue import SimpleQueue

from starschema_assets.contract import Contract
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, StagedTable
from starschema_assets.lake.parquet import Footer
from starschema_assets.lake.provenance import written_by
from starschema_assets.quality.files import types_of
from starschema_assets.quality.finding import Finding, accept
from starschema_assets.quality.reconciliation import ask_source
from starschema_assets.quality.source import refused_values, same_source
from starschema_assets.raw.audit import RawAudit
from starschema_assets.source.errors import ValueRefused
from starschema_assets.source.snapshot import Snapshot
from starschema_assets.source.source import Source, SourceTable

PROGRESS_SECONDS = 5


@dataclass(frozen=True)
class Extraction:
    """Takes tables from the source into the lake's staging, on behalf of one run."""

    source: Source
    lake: Lake
    audit: RawAudit
    run_id: str
    log: Logger

    def stage(
        self, contracts: Sequence[Contract], accepted: Collection[str]
    ) -> tuple[list[Finding], list[StagedTable]]:
        """Stage the tables from one snapshot.

        Nothing is read if a declaration forbids it, or if the published tables are from another
        database and that isn't `accepted`.
        """
        declared = self.source.declared(contract.table for contract in contracts)
        published = {contract.table: self._published(contract) for contract in self.audit.contracts}
        sources = [f.metadata.get("source", "") for f in published.values() if f]
        same = [same_source(contract, self.source.name, sources) for contract in contracts]
        findings = [
            *accept(same, accepted),  # here, since what blocks is not even read
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
        with self.source.snapshot() as snapshot, self._audited(findings) as audit:
            for contract in contracts:
                try:
                    table = self._stage(
                        contract,
                        declared[contract.table],
                        snapshot,
                        published[contract.table],
                    )
                except ValueRefused as refused:
                    findings.append(refused_values(contract, str(refused)))
                else:
                    staged.append(table)
                    audit(contract, table.path)
        return findings, staged

    def _declaration(
        self, contract: Contract, table: SourceTable | None, published: Mapping[str, str] | None
    ) -> Finding:
        """What the source declares; a type that can't be held, where the contract names it."""
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
            needed = "and the contract needs it: read from a view that casts it"
            return refused_values(contract, f"{'; '.join(refused)}, {needed}")
        left_out = {column.name for column in table.left_out}  # which all_columns tells
        before = (
            {n: type_ for n, type_ in published.items() if n not in left_out} if published else None
        )
        return self.audit.declaration(contract, _types(table), before)

    @contextmanager
    def _audited(self, findings: list[Finding]) -> Generator[Callable[[Contract, Path], None]]:
        """Audit each file that it is given while the next table is read, one after the other.

        What is found is added at the end.
        """
        files: SimpleQueue[tuple[Contract, Path] | None] = SimpleQueue()
        with ThreadPoolExecutor(1) as beside:
            audit = beside.submit(lambda: list(self.audit.versions(iter(files.get, None))))
            try:
                yield lambda contract, file: files.put((contract, file))
            finally:
                files.put(None)
        findings += audit.result()

    def _stage(
        self,
        contract: Contract,
        table: SourceTable,
        snapshot: Snapshot,
        published: Footer | None,
    ) -> StagedTable:
        source_rows = snapshot.count(table)
        spellings = snapshot.spellings(table, contract.grouped)
        entries = written_by(self.run_id) | {
            "source": self.source.name,
            "snapshot": snapshot.id,
            "declared": json.dumps({column.name: column.type for column in table.columns}),
            "source_rows": str(source_rows),
            "rows_before": str(published.rows if published else 0),
            "left_out": json.dumps({column.name: column.reason for column in table.left_out}),
            "spellings": json.dumps([asdict(each) for each in spellings]),
            "nulled_dates": json.dumps(snapshot.zero_dates.get(table.name, {})),
        }
        for declared in self.audit.reconciliations:
            if declared.table == contract.table:
                sums = ask_source(snapshot.figures, declared, source_rows)
                entries[declared.entry] = json.dumps(sums)
        reader = snapshot.read(table, report_progress(contract.name, source_rows, self.log))
        return self.lake.stage(contract.path, reader, schema=None, metadata=entries)

    def _published(self, contract: Contract) -> Footer | None:
        try:
            return self.lake.footer(contract.path)
        except NotPublished:
            return None
        except Unreadable as error:
            self.log.warning("%s: what is published can't be read: %s", contract.name, error)
            return None


def _types(table: SourceTable) -> Mapping[str, str]:
    return {column.name: column.type for column in table.columns}


def _types_of(published: Footer | None) -> Mapping[str, str] | None:
    return types_of(published.schema) if published else None


def report_progress(name: str, expected: int, log: Logger) -> Callable[[int], None]:
    """Log now and then how many rows were read, of how many, and how fast."""
    start = last = time.monotonic()

    def report(rows: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS:
            last = now
            rate = rows / (now - start)
            log.info("%s: %s of %s rows, %s a second", name, *map(_told, (rows, expected, rate)))

    return report


def _told(number: float) -> str:
    return f"{number:,.0f}"
