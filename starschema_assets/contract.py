"""Contracts: the declared columns, keys and rules of a table, and the checks that follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """A column with its Athena type.

    Types are `boolean`, `tinyint`, `smallint`, `int`, `bigint`, `float`, `double`, `decimal(p,s)`,
    `date`, `timestamp` (UTC), `string` or `binary`.
    """

    name: str
    type: str
    description: str
    nullable: bool = False
    unit: str | None = None
    grouped: bool = False
    """True for text that users group by. A check warns about values that differ here and are equal
    in the source's collation, e.g. `USA` and `usa`."""
    personal: bool = False
    """True for personal data, including free text. Checks and logs never show its values."""


@dataclass(frozen=True)
class ForeignKey:
    """Columns whose values must exist in the key of another star table."""

    columns: tuple[str, ...]
    references: str
    day: str | None = None
    """If `references` is a history: a date column. The version must be valid on this date. A date
    after the last snapshot refers to the current version."""


@dataclass(frozen=True)
class Rule:
    """A condition that every row must meet. As in a SQL CHECK, NULL counts as met."""

    name: str
    holds: str
    description: str
    warning: bool = False
    """True if a violation is reported but doesn't stop the publication."""


@dataclass(frozen=True)
class Sum:
    """A sum or count that must be the same at the source and in the table.

    Raises ValueError unless the type is bigint or decimal: a sum of floats depends on the order.
    """

    source: str
    """Expression at the source, valid in MySQL and DuckDB, e.g. `sum(quantity * price)`."""
    here: str
    """Expression on the contract's table."""
    type: str
    """Athena type of the sum: `bigint` or a decimal."""
    unit: str

    def __post_init__(self) -> None:
        if not self.type.startswith(("decimal", "bigint")):
            raise ValueError(f"{self.here}: a sum must be a bigint or a decimal, not {self.type}")


@dataclass(frozen=True)
class Reconciliation:
    """Sums per group that the source computes in the snapshot and that a table must match.

    Raises ValueError for a `group_table` without a `group_key`.
    """

    table: str
    """Raw table whose rows are summed up."""
    sums: tuple[Sum, ...]
    group: str
    """Expression to group by. It must be valid at the source and on the contract's columns."""
    group_name: str
    """Name of a group for messages, e.g. `year`."""
    group_table: str | None = None
    """Raw table with the columns of `group`, if they aren't in `table`."""
    group_key: str | None = None
    """Column that joins `table` with `group_table`. It is the key of `group_table`."""
    entry: str = "figures"
    """Entry of the raw file's metadata that stores the sums."""

    def __post_init__(self) -> None:
        if self.group_table and not self.group_key:
            raise ValueError(f"group_table {self.group_table!r} requires group_key")


@dataclass(frozen=True)
class Newest:
    """A date column whose newest value must be neither in the future nor too old."""

    check: str
    """The name of the check."""
    column: str


@dataclass(frozen=True)
class Tracked:
    """Makes a dimension slowly changing (type 2): a history table has all versions of its rows."""

    step: str
    """SQL step with the current values: one row per key of the dimension."""
    columns: tuple[Column, ...]
    """Columns whose changes create a new version. They needn't be columns of the dimension."""


@dataclass(frozen=True)
class Contract:
    """A table of one stage: its grain, its key and its columns in the order of the file."""

    stage: Literal["raw", "star"]
    table: str
    grain: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    rules: tuple[Rule, ...] = ()
    sorted_by: tuple[str, ...] = ()
    """Sort order of the rows in the file, which lets readers skip row groups."""
    reconciliation: Reconciliation | None = None
    newest: Newest | None = None
    tracked: Tracked | None = None
    """The columns whose history is kept, if the table is a slowly changing dimension."""
    dimension: "Contract | None" = None
    """The dimension whose versions the table stores, if it is a history."""
    is_referred_to: bool = False
    """True if another star table refers to it. Set by `star.discovery`, not in contracts."""

    @property
    def is_fact(self) -> bool:
        """True if the table refers to other tables, and is neither a dimension nor a history."""
        is_dimension = self.is_referred_to or self.tracked or self.dimension
        return not is_dimension and any(k.references != self.table for k in self.foreign_keys)

    @property
    def grouped(self) -> tuple[str, ...]:
        """The text columns that users group by."""
        return tuple(column.name for column in self.columns if column.grouped)

    @property
    def path(self) -> tuple[str, str]:
        """The asset key, e.g. `("star", "sales")`."""
        return (self.stage, self.table)

    @property
    def name(self) -> str:
        """The asset key as text, e.g. `star/sales`."""
        return "/".join(self.path)


@dataclass(frozen=True)
class Check:
    """One asset check of a table."""

    name: str
    description: str
    warning: bool = False
    """True if a failure is reported but doesn't stop the publication."""
    broken_by: str = ""
    """SQL condition that offending rows meet, if the check looks at single rows."""


def key_check(contract: Contract) -> Check:
    """Return the check that the key is unique."""
    return Check("key", f"{', '.join(contract.key)} is unique.")


def row_checks(contract: Contract) -> Iterator[Check]:
    """Yield the checks of single rows: required columns aren't NULL, and the contract's rules."""
    required = [column.name for column in contract.columns if not column.nullable]
    yield Check(
        "not_null",
        f"Never NULL: {', '.join(required)}.",
        broken_by=" or ".join(f'"{name}" is null' for name in required),
    )
    for rule in contract.rules:
        yield Check(
            rule.name, rule.description, warning=rule.warning, broken_by=f"not ({rule.holds})"
        )


def foreign_key_check(foreign_key: ForeignKey) -> Check:
    """Return the check of a foreign key."""
    columns, table = foreign_key.columns, foreign_key.references
    valid = f", in the version that was valid on {foreign_key.day}" if foreign_key.day else ""
    return Check(
        f"{'_'.join(columns)}_in_{table}", f"Every {', '.join(columns)} exists in {table}{valid}."
    )


def reconciliation_check(contract: Contract) -> Check | None:
    """Return the check of the sums: a warning for a fact without sums, None for other tables."""
    if declared := contract.reconciliation:
        units = ", ".join(each.unit for each in declared.sums)
        return Check(
            "matches_source",
            f"The sums of each {declared.group_name} ({units}) equal those that the source "
            "computed in the same snapshot, to the last digit.",
        )
    if contract.is_fact:
        return Check(
            "matches_source",
            "The contract declares sums that are compared with the source.",
            warning=True,
        )
    return None


def newest_check(contract: Contract) -> Check | None:
    """Return the check of the newest date, if the contract has one."""
    if contract.newest is None:
        return None
    return Check(
        contract.newest.check,
        f"The newest {contract.newest.column} is neither in the future nor older than "
        "STARSCHEMA_MAX_ORDER_AGE days.",
        warning=True,
    )
