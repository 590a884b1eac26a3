"""Audits a file by its schema and metadata, and converts findings that were accepted."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import pyarrow as pa

from starschema_assets.checks import (
    ALL_COLUMNS,
    EXACT_VALUES,
    ONE_SNAPSHOT,
    ONE_SPELLING,
    ROW_COUNT,
    ROW_LOSS,
    SAME_SOURCE,
    SOURCE_SCHEMA,
    TYPES,
)
from starschema_assets.contract import Check, Contract
from starschema_assets.source.database import MAX_SPELLED_VALUES
from starschema_assets.types import UnsupportedType, athena_type

MAX_TEXT = 80
"""Characters of a text value to show."""

Row = Mapping[str, object]
Types = Mapping[str, str]
"""Athena type by column name."""


@dataclass(frozen=True)
class Finding:
    """The result of one check on one version of a table."""

    contract: Contract
    check: Check
    passed: bool
    message: str = ""
    offending_rows: int | None = None
    examples: Sequence[Row] = field(default=())
    """Offending rows, with personal columns masked."""
    warning: bool = False
    """True if this failure is only a warning although the check can block."""
    final: bool = False
    """True if the failure can't be accepted, because there is no table to publish or other checks
    could not run."""

    @property
    def blocks(self) -> bool:
        """True if the table must not be published."""
        return not (self.passed or self.warning or self.check.warning)

    @property
    def title(self) -> str:
        """The check's name in messages and in `accept`, e.g. `star/sales:key`."""
        return f"{self.contract.name}:{self.check.name}"


def accept(findings: Iterable[Finding], titles: Collection[str]) -> Iterator[Finding]:
    """Turn blocking findings that are accepted for this run into warnings."""
    for finding in findings:
        if not finding.blocks or finding.title not in titles:
            yield finding
        elif finding.final:
            yield replace(finding, message=f"This can't be accepted. {finding.message}")
        else:
            message = f"Accepted for this run. {finding.message}"
            yield replace(finding, warning=True, message=message)


def types(contract: Contract, schema: pa.Schema, declared: Mapping[str, str]) -> Finding:
    """Compare the columns of a file with the declared ones: name, order and Athena type."""
    actual = types_of(schema)
    differences = [
        f"{name} is {actual.get(name, 'missing')}, declared {declared.get(name, 'nowhere')}"
        for name in {**declared, **actual}
        if actual.get(name) != declared.get(name)
    ]
    if not differences and list(actual) != list(declared):
        differences = [f"the columns are in the order {', '.join(actual)}"]
    message = "; ".join(differences)
    return Finding(contract, TYPES, passed=not differences, message=message, final=True)


def not_there(contract: Contract, reason: str) -> Finding:
    """Report that the file is missing or unreadable."""
    return Finding(contract, TYPES, passed=False, message=reason, final=True)


def types_of(schema: pa.Schema) -> dict[str, str]:
    """Return the Athena type of each column, or the Arrow type if Athena doesn't support it."""
    return {field.name: _athena(field.type) for field in schema}


def _athena(arrow: pa.DataType) -> str:
    try:
        return athena_type(arrow)
    except UnsupportedType:
        return str(arrow)


def same_source(contract: Contract, source: str, published: Collection[str]) -> Finding:
    """Compare a table's database with those of the published raw tables; "" means unknown."""
    others = sorted(set(published) - {source, ""})
    message = (
        f"the lake has tables from {', '.join(others)}, but this table is from {source}: check "
        "STARSCHEMA_SOURCE_URL and STARSCHEMA_LAKE_URI, or accept this if the database has moved"
    )
    return Finding(contract, SAME_SOURCE, passed=not others, message=message if others else "")


def source_schema(
    contract: Contract,
    declared: Types | None,
    published: Types | None,
    used_by: Mapping[str, Sequence[str]],
) -> Finding:
    """Compare the source's columns with the contract and with the last publication.

    `declared` is None if the source has no such table, `published` if nothing is published yet.
    `used_by` lists, for each column in use, the models that use it.
    """
    if declared is None:
        users = sorted({user for users in used_by.values() for user in users})
        message = f"the source has no table {contract.table}; used by {', '.join(users)}"
        return Finding(contract, SOURCE_SCHEMA, passed=False, message=message, final=True)
    errors = [
        f"{contract.table}.{column.name} is {declared.get(column.name, 'missing')} at the source, "
        f"but {column.type} in the contract; used by {', '.join(used_by[column.name])}"
        for column in contract.columns
        if column.name in used_by and declared.get(column.name) != column.type
    ]
    if errors:
        known = {column.name for column in contract.columns}
        if instead := ", ".join(name for name in declared if name not in known):
            errors.append(f"the source has columns that the contract doesn't have: {instead}")
        message = "; ".join(errors)
        return Finding(contract, SOURCE_SCHEMA, passed=False, message=message, final=True)
    before = published or {column.name: column.type for column in contract.columns}
    changes = [
        f"{contract.table}.{name} {_change(before.get(name), declared.get(name))}"
        for name in {**before, **declared}
        if before.get(name) != declared.get(name)
    ]
    return Finding(
        contract, SOURCE_SCHEMA, passed=not changes, message="; ".join(changes), warning=True
    )


def _change(before: str | None, now: str | None) -> str:
    if before is None:
        return f"is new ({now})"
    if now is None:
        return "no longer exists; not used"
    return f"changed from {before} to {now}; not used"


def exact_values(contract: Contract, nulled_dates: Mapping[str, int]) -> Finding:
    """Report the zero dates that became NULL because of STARSCHEMA_ZERO_DATES."""
    nulled = {column: count for column, count in nulled_dates.items() if count}
    message = "; ".join(
        f"{count} zero dates of {contract.table}.{column} became NULL"
        for column, count in nulled.items()
    )
    return Finding(
        contract,
        EXACT_VALUES,
        passed=not nulled,
        message=message,
        offending_rows=sum(nulled.values()),
        warning=True,
    )


def refused_values(contract: Contract, reason: str) -> Finding:
    """Report a value or a type of the source that can't be stored exactly."""
    return Finding(contract, EXACT_VALUES, passed=False, message=reason, final=True)


def all_columns(contract: Contract, left_out: Mapping[str, str]) -> Finding:
    """Report the columns of the source that are left out, with the reasons."""
    message = "; ".join(
        f"{contract.table}.{column} is left out: {reason}" for column, reason in left_out.items()
    )
    return Finding(contract, ALL_COLUMNS, passed=not left_out, message=message)


def one_spelling(contract: Contract, spellings: Sequence[Mapping[str, object]]) -> Finding:
    """Report different spellings that are equal at the source, with their row counts."""
    values = groupby(spellings, key=lambda each: (each["column"], each["group"]))
    message = "; ".join(
        f"{contract.table}.{column}: "
        + ", ".join(f"'{each['spelling']}' in {each['rows']} rows" for each in value)
        + (" (and perhaps more values)" if group == MAX_SPELLED_VALUES else "")
        for (column, group), value in values
    )
    return Finding(contract, ONE_SPELLING, passed=not spellings, message=message)


def row_count(contract: Contract, rows: int, source_rows: int) -> Finding:
    """Compare the file's row count with the source's in the same snapshot."""
    message = f"{rows} rows in the file, {source_rows} at the source"
    return Finding(contract, ROW_COUNT, passed=rows == source_rows, message=message)


def no_origin(contract: Contract, reason: str) -> Finding:
    """Report a published file without information about its source."""
    return Finding(contract, ROW_COUNT, passed=False, message=reason, final=True)


def row_loss(contract: Contract, rows: int, rows_before: int | None, limit: float) -> Finding:
    """Compare the row count with the last publication's. `limit` is the share that may be lost."""
    lost = 0.0 if not rows_before else max(0.0, 1 - rows / rows_before)
    message = f"{rows} rows ({rows_before} before): {lost:.1%} lost, {limit:.1%} allowed"
    return Finding(contract, ROW_LOSS, passed=lost <= limit, message=message if rows_before else "")


def one_snapshot(contract: Contract, snapshots: Mapping[str, str]) -> Finding:
    """Compare the snapshots of the raw tables that a star table was built from."""
    passed = len(set(snapshots.values())) <= 1
    message = "; ".join(
        f"raw/{table} is from snapshot {snapshot}" for table, snapshot in snapshots.items()
    )
    return Finding(contract, ONE_SNAPSHOT, passed=passed, message="" if passed else message)


def mask(contract: Contract, row: Row, computed: Collection[str] = ()) -> Row:
    """Hide values of personal columns and of columns that aren't in the contract.

    `computed` columns were added by the audit. A NULL is shown, since it may be the offence.
    """
    open_columns = {column.name for column in contract.columns if not column.personal}
    open_columns.update(computed)
    return {
        name: _shown(value) if name in open_columns or value is None else "***"
        for name, value in row.items()
    }


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}…"
    return value
