"""What a table promises, and the checks that this implies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """A column; `type` is the name Athena gives it.

    That is `boolean`, `tinyint`, `smallint`, `int`, `bigint`, `float`, `double`, `decimal(p,s)`,
    `date`, `timestamp` (UTC), `string` or `binary`.
    """

    name: str
    type: str
    description: str
    nullable: bool = False
    unit: str | None = None
    grouped: bool = False
    """Text that people group by: its spellings that the source takes for one value are shown."""
    personal: bool = False
    """Personal data, free text included: never shown outside the table itself."""


@dataclass(frozen=True)
class ForeignKey:
    """Columns whose values must be found in the key of another star table."""

    columns: tuple[str, ...]
    references: str
    day: str | None = None
    """Where `references` is a history: the date that the version must hold; one after the last
    snapshot is held by the current version."""


@dataclass(frozen=True)
class Rule:
    """A condition that every row meets; a row for which it is NULL meets it, as in a SQL CHECK."""

    name: str
    holds: str
    description: str
    warning: bool = False
    """True if a row that breaks the rule is worth a look but no reason not to publish."""


@dataclass(frozen=True)
class Sum:
    """A sum, or a count, that the source computes and that the table must have.

    Raises ValueError for a type of floats: what they add up to depends on their order.
    """

    source: str
    """The expression at the source, e.g. `sum(quantity * price)`, for MySQL and DuckDB alike."""
    here: str
    """The expression on the table of the contract."""
    type: str
    """Athena's type of the sum: `bigint` or a decimal."""
    unit: str

    def __post_init__(self) -> None:
        if not self.type.startswith(("decimal", "bigint")):
            raise ValueError(f"{self.here}: a sum must be a bigint or a decimal, not {self.type}")


@dataclass(frozen=True)
class Reconciliation:
    """Sums by group that the source computes in the snapshot, and that a table must equal.

    Raises ValueError for a `group_table` without a `group_key`.
    """

    table: str
    """The raw table whose rows are summed up."""
    sums: tuple[Sum, ...]
    group: str
    """The expression that groups, the same on the source's columns and on those of the contract."""
    group_name: str
    """What a group is, e.g. `year`."""
    group_table: str | None = None
    """The raw table that has the columns of `group`, if it is another one."""
    group_key: str | None = None
    """The column by which rows of `table` find theirs of `group_table`, where it is the key."""
    entry: str = "figures"
    """The entry of a file's metadata in which the sums are recorded."""

    def __post_init__(self) -> None:
        if self.group_table and not self.group_key:
            raise ValueError(f"the group's table {self.group_table} needs group_key")


@dataclass(frozen=True)
class Newest:
    """A date of which the newest must be neither in the future nor too old."""

    check: str
    """The name of the check."""
    column: str


@dataclass(frozen=True)
class Tracked:
    """What is remembered of a dimension: a table of its own holds every version of each row."""

    step: str
    """The step of SQL that gives today's values: one row per key of the dimension."""
    columns: tuple[Column, ...]
    """The columns whose changes open a version; the dimension itself may lack them."""


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
    """The order of the rows in the file, which lets a reader skip row groups."""
    reconciliation: Reconciliation | None = None
    newest: Newest | None = None
    tracked: Tracked | None = None
    """What is remembered of the table, if it is a dimension."""
    dimension: "Contract | None" = None
    """The dimension whose versions the table holds, if it is a history."""
    is_referred_to: bool = False
    """True if another star table refers to it; `star.discovery` finds it out, nobody writes it."""

    @property
    def is_fact(self) -> bool:
        """True if the table refers to dimensions, and isn't one, nor the history of one."""
        is_dimension = self.is_referred_to or self.tracked or self.dimension
        return not is_dimension and any(k.references != self.table for k in self.foreign_keys)

    @property
    def grouped(self) -> tuple[str, ...]:
        """The text columns that people group by."""
        return tuple(column.name for column in self.columns if column.grouped)

    @property
    def path(self) -> tuple[str, str]:
        """The asset key, e.g. `("star", "sales")`."""
        return (self.stage, self.table)

    @property
    def name(self) -> str:
        """The asset key as it is written, e.g. `star/sales`."""
        return "/".join(self.path)


@dataclass(frozen=True)
class Check:
    """One asset check of a table."""

    name: str
    description: str
    warning: bool = False
    """True if its failure is reported and does not stop the publication."""
    broken_by: str = ""
    """The SQL condition of an offending row, if the check looks at each row by itself."""


def key_check(contract: Contract) -> Check:
    """The check of the key."""
    return Check("key", f"{', '.join(contract.key)} is unique.")


def row_checks(contract: Contract) -> Iterator[Check]:
    """The checks of single rows: no NULL where none may be, and the contract's rules."""
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
    """The check of one foreign key."""
    columns, table = foreign_key.columns, foreign_key.references
    holds = f", and that version holds {foreign_key.day}" if foreign_key.day else ""
    return Check(
        f"{'_'.join(columns)}_in_{table}", f"Every {', '.join(columns)} is found in {table}{holds}."
    )


def reconciliation_check(contract: Contract) -> Check | None:
    """The check of the sums; only a warning for a fact without any, None for other tables."""
    if declared := contract.reconciliation:
        units = ", ".join(each.unit for each in declared.sums)
        return Check(
            "matches_source",
            f"The sums of each {declared.group_name} ({units}) are those that the source itself "
            "computed in the snapshot, to the last digit.",
        )
    if contract.is_fact:
        return Check(
            "matches_source",
            "The contract declares sums that the source computes and that the table must equal.",
            warning=True,
        )
    return None


def newest_check(contract: Contract) -> Check | None:
    """The check of the newest date, if the contract has one."""
    if contract.newest is None:
        return None
    return Check(
        contract.newest.check,
        f"The newest {contract.newest.column} is not in the future, nor older than "
        "STARSCHEMA_MAX_ORDER_AGE days.",
        warning=True,
    )
