"""Audits the rows of a table with SQL generated from its contract, and describes a version."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from starschema_assets.contract import (
    Check,
    Contract,
    ForeignKey,
    foreign_key_check,
    key_check,
    row_checks,
)
from starschema_assets.lake.lake import StagedTable, snapshots_of
from starschema_assets.quality.files import Finding, Row, mask, types, types_of

EXAMPLES = 5
"""The largest number of rows that are shown."""

Answer = tuple[Sequence[str], Sequence[tuple[Any, ...]]]
"""The columns and the rows of a query's result."""


class Tables(Protocol):
    """Tables that SQL reads by their asset paths, e.g. `star.sales`."""

    def fetch(self, query: str) -> Answer:
        """Return the result of a query that is written in DuckDB's SQL."""

    def suspects(self, table: str, key: Sequence[str]) -> str:
        """Return a condition that rows with a duplicate key meet, and few others if possible."""

    def parts(self, table: str, column: str, rows: int) -> Sequence[str]:
        """Return conditions on a column that cut a table into parts that fit in memory."""


Keys = Mapping[str, tuple[str, ...]]
"""The key of each table that others can refer to, by name."""


class RowAudit:
    """Audits tables in the engine that reads them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def rows(self, contract: Contract) -> Iterator[Finding]:
        """Count the rows that break each check, and read examples only if there are any.

        Each check is a separate query, so an engine can skip the rows where the file's statistics
        rule out a violation.
        """
        checks = list(row_checks(contract))
        counts = (f"(select count(*) from {_table(contract)} where {c.broken_by})" for c in checks)
        (found,) = self._fetch(f"select {', '.join(counts)}")
        for check, offending in zip(checks, found, strict=True):
            yield self._finding(contract, check, offending)

    def key(self, contract: Contract) -> Finding:
        """Find values of the key that several rows have."""
        columns = ", ".join(f'"{name}"' for name in contract.key)
        duplicates = (
            f"select {columns}, count(*) as rows from {_table(contract)} "
            f"where {self.tables.suspects(_table(contract), contract.key)} "
            f"group by {columns} having count(*) > 1"
        )
        ((offending,),) = self._fetch(f"select coalesce(sum(rows), 0) from ({duplicates})")
        return Finding(
            contract,
            key_check(contract),
            passed=not offending,
            offending_rows=int(offending),
            examples=self._examples(contract, duplicates, contract.key, "rows")
            if offending
            else (),
        )

    def foreign_key(
        self, contract: Contract, foreign_key: ForeignKey, key: Sequence[str]
    ) -> Finding:
        """Find rows whose reference has no match. A NULL needs none."""
        pairs = list(zip(foreign_key.columns, key, strict=True))
        matches = " and ".join(f'dimension."{theirs}" = fact."{ours}"' for ours, theirs in pairs)
        present = " and ".join(f'fact."{ours}" is not null' for ours, _ in pairs)

        day = f'fact."{foreign_key.day}"'

        def orphaned(first: str, last: str) -> str:
            """Return the condition of a row without a match, valid on its days if it has any."""
            return (
                f"{present} and not exists "
                f'(select 1 from "{contract.stage}"."{foreign_key.references}" as dimension '
                f"where {matches}{_holds(first, last) if foreign_key.day else ''})"
            )

        # Each distinct value is looked up once
        columns = ", ".join(f'"{name}"' for name in foreign_key.columns)
        days = f', min("{foreign_key.day}") as firstDay, max("{foreign_key.day}") as lastDay'
        values = (
            f"select {columns}, count(*) as rows{days if foreign_key.day else ''} "
            f"from {_table(contract)} group by {columns}"
        )
        ((offending,),) = self._fetch(
            f"select coalesce(sum(rows), 0) from ({values}) as fact "
            f"where {orphaned('fact.firstDay', 'fact.lastDay')}"
        )
        return Finding(
            contract,
            foreign_key_check(foreign_key),
            passed=not offending,
            offending_rows=int(offending),
            examples=self._examples(
                contract,
                f"select fact.* from {_table(contract)} as fact where {orphaned(day, day)}",
                foreign_key.columns,
            )
            if offending
            else (),
        )

    @staticmethod
    def no_such_table(contract: Contract, foreign_key: ForeignKey) -> Finding:
        """Report that the table of a foreign key was never published."""
        missing = f"{contract.stage}/{foreign_key.references}"
        return Finding(
            contract,
            foreign_key_check(foreign_key),
            passed=False,
            message=f"{missing} was never published: materialize it too",
        )

    def _finding(self, contract: Contract, check: Check, offending: int) -> Finding:
        rows = f"select * from {_table(contract)} where {check.broken_by}"
        return Finding(
            contract,
            check,
            passed=not offending,
            offending_rows=offending,
            examples=self._examples(contract, rows, re.findall(r"\w+", check.broken_by))
            if offending
            else (),
        )

    def _examples(
        self, contract: Contract, query: str, broken: Sequence[str], *computed: str
    ) -> list[Row]:
        """Read offending rows, with the key and the broken columns first."""
        columns, found = self.tables.fetch(f"{query} limit {EXAMPLES}")
        order = sorted(columns, key=lambda c: (c not in contract.key, c not in broken))
        rows = (dict(zip(columns, row, strict=True)) for row in found)
        return [mask(contract, {c: row[c] for c in order}, computed) for row in rows]

    def _fetch(self, query: str) -> Sequence[tuple[Any, ...]]:
        _, rows = self.tables.fetch(query)
        return rows


def _holds(first: str, last: str) -> str:
    """Return the condition that a version of a history is valid from one day to another."""
    return (
        f" and dimension.validFrom <= {first} "
        f"and ({last} < dimension.validTo or dimension.isCurrent)"
    )


def _table(contract: Contract) -> str:
    return f'"{contract.stage}"."{contract.table}"'


def audit_table(
    audit: RowAudit,
    contract: Contract,
    schema: pa.Schema,
    declared: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    """Audit a table by itself, and its rows only if its columns are as declared.

    `declared` has the types of the columns, where they differ from those of the contract.
    """
    declared = declared or {column.name: column.type for column in contract.columns}
    found = types(contract, schema, declared)
    yield found
    if found.passed:
        yield audit.key(contract)
        yield from audit.rows(contract)


def audit_references(
    audit: RowAudit,
    contract: Contract,
    keys: Keys,
    present: Collection[str],
    only: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Audit the foreign keys of a table. `present` are the tables that were published or staged.

    With `only`, audit just the references to these tables.
    """
    for foreign_key in contract.foreign_keys:
        if only is not None and foreign_key.references not in only:
            continue
        if foreign_key.references in present:
            yield audit.foreign_key(contract, foreign_key, keys[foreign_key.references])
        else:
            yield audit.no_such_table(contract, foreign_key)


@dataclass(frozen=True)
class Description:
    """Describes a version of a table."""

    rows: int
    bytes: int
    types: Mapping[str, str]
    """The Athena type of each column."""
    snapshots: Sequence[str]
    """The snapshots of the source that the rows come from, the oldest first."""
    sample: Sequence[Mapping[str, Any]]
    """The first rows, with personal columns masked. None without a contract."""


def describe(staged: StagedTable, contract: Contract | None) -> Description:
    """Describe a staged file."""
    file = pq.ParquetFile(staged.path)
    rows = []
    if contract and staged.rows:
        rows = next(file.iter_batches(batch_size=EXAMPLES)).to_pylist()
    return Description(
        staged.rows,
        staged.bytes,
        types_of(file.schema_arrow),
        snapshots_of(staged.metadata),
        [as_json(mask(contract, row)) for row in rows if contract],
    )


def as_json(value: Any) -> Any:
    """Return the value with text in place of each type that JSON does not have."""
    return json.loads(json.dumps(value, default=str))
