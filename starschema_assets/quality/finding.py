"""What a check found."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from starschema_assets.contract import Contract
from starschema_assets.quality.checks import Check

EXAMPLES = 5
"""Offending rows that are shown at most."""

Row = Mapping[str, object]


@dataclass(frozen=True)
class Finding:
    """The result of one check on one version of a table."""

    contract: Contract
    check: Check
    passed: bool
    message: str = ""
    offending_rows: int | None = None
    examples: Sequence[Row] = field(default=())
    """Offending rows, personal columns masked."""
    warning: bool = False
    """True if this failure is only a warning although the check can block."""
    final: bool = False
    """True if nobody can accept this failure: there is nothing that could be published, or the
    other checks could not be made."""

    @property
    def blocks(self) -> bool:
        """True if the table must not be published."""
        return not (self.passed or self.warning or self.check.warning)

    @property
    def title(self) -> str:
        """The check as it is written in messages and overrides, e.g. `star/sales:key`."""
        return f"{self.contract.name}:{self.check.name}"


def accept(findings: Iterable[Finding], titles: Collection[str]) -> Iterator[Finding]:
    """Turn blocking findings that someone accepted for this run into warnings."""
    for finding in findings:
        if not finding.blocks or finding.title not in titles:
            yield finding
        elif finding.final:
            yield replace(finding, message=f"This can't be accepted. {finding.message}")
        else:
            message = f"Accepted for this run. {finding.message}"
            yield replace(finding, warning=True, message=message)


MAX_TEXT = 80
"""Characters of a text that are shown."""


def mask(contract: Contract, row: Row, computed: Collection[str] = ()) -> Row:
    """Hide what may be personal: the columns that the contract says are, and unknown ones.

    `computed` columns are the audit's own. A NULL is shown as such, since it may be what offends.
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
