"""What a table promises: from this its schema, its checks and its documentation come."""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["raw", "star"]

DIALECT = "duckdb"
"""sqlglot's name of the SQL in which rules, models and audits are written, for every engine."""


@dataclass(frozen=True)
class Column:
    """A column; `type` is the name Athena gives it, e.g. `int`, `decimal(10,2)`, `string`."""

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
class Contract:
    """A table of one stage: its grain, its key and its columns in the order of the file."""

    stage: Stage
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
