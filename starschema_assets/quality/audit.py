"""The audit of one version of a table, staged or published, by its contract."""

from collections.abc import Collection, Iterator, Mapping

import pyarrow as pa

from starschema_assets.contract import Contract
from starschema_assets.quality import files
from starschema_assets.quality.finding import Finding
from starschema_assets.quality.rows import RowAudit

Keys = Mapping[str, tuple[str, ...]]
"""The key of each table that can be referred to, by name."""


def audit_table(
    audit: RowAudit,
    contract: Contract,
    schema: pa.Schema,
    declared: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    """Audit a table by itself; its rows only if its columns are as declared.

    `declared` has the types of the columns, where they are not simply those of the contract.
    """
    declared = declared or {column.name: column.type for column in contract.columns}
    types = files.types(contract, schema, declared)
    yield types
    if types.passed:
        yield audit.key(contract)
        yield from audit.rows(contract)


def audit_references(
    audit: RowAudit,
    contract: Contract,
    keys: Keys,
    present: Collection[str],
    only: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Audit a table's foreign keys; a table that is not present holds no key at all.

    `only` leaves out the references to other tables than these.
    """
    for foreign_key in contract.foreign_keys:
        if only is not None and foreign_key.references not in only:
            continue
        if foreign_key.references in present:
            yield audit.foreign_key(contract, foreign_key, keys[foreign_key.references])
        else:
            yield audit.no_such_table(contract, foreign_key)
