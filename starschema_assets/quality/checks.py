"""The checks that a contract implies: what they are called and which rows break them."""

from collections.abc import Iterator
from dataclasses import dataclass

from starschema_assets.contract import Contract, ForeignKey


@dataclass(frozen=True)
class Check:
    """One asset check of a table."""

    name: str
    description: str
    warning: bool = False
    """True if its failure is reported and does not stop the publication."""


@dataclass(frozen=True)
class RowCheck(Check):
    """A check that looks at each row by itself."""

    broken_by: str = ""
    """The SQL condition of an offending row."""


TYPES = Check("types", "The file has the declared columns, in order, with the declared types.")
SAME_SOURCE = Check(
    "same_source", "All published raw tables are from the database that this one is from."
)
SOURCE_SCHEMA = Check(
    "source_schema",
    "The source still has the columns that the star needs, with the types of the contract; "
    "any other change since the last publication is a warning.",
)
EXACT_VALUES = Check(
    "exact_values",
    "Every value of the source could be held exactly; dates that became NULL because the setting "
    "says so are counted in a warning.",
)
ALL_COLUMNS = Check(
    "all_columns",
    "Every column of the source is in the file; one whose type can't be held exactly is left out.",
    warning=True,
)
ONE_SPELLING = Check(
    "one_spelling",
    "No two spellings of a value in a column that people group by are equal for the source: "
    "a `group by` there adds them up, and one on the files keeps them apart.",
    warning=True,
)
ROW_COUNT = Check(
    "row_count", "The file has as many rows as the source counted in the same snapshot."
)
ROW_LOSS = Check(
    "row_loss",
    "The table did not lose more rows since the last publication than STARSCHEMA_MAX_ROW_LOSS.",
)
ONE_SNAPSHOT = Check(
    "one_snapshot",
    "The raw tables that this table was made of belong to one snapshot of the source.",
    warning=True,
)
OF_RAW = (SAME_SOURCE, SOURCE_SCHEMA, ALL_COLUMNS, EXACT_VALUES, ROW_COUNT, ROW_LOSS)
OF_STAR = (ONE_SNAPSHOT,)


def key_check(contract: Contract) -> Check:
    """The check of the key."""
    return Check("key", f"{', '.join(contract.key)} is unique.")


def row_checks(contract: Contract) -> Iterator[RowCheck]:
    """The checks of single rows: no NULL where none may be, and the contract's rules."""
    required = [column.name for column in contract.columns if not column.nullable]
    yield RowCheck(
        "not_null",
        f"Never NULL: {', '.join(required)}.",
        broken_by=" or ".join(f'"{name}" is null' for name in required),
    )
    for rule in contract.rules:
        yield RowCheck(
            rule.name, rule.description, warning=rule.warning, broken_by=f"not ({rule.holds})"
        )


def foreign_key_check(foreign_key: ForeignKey) -> Check:
    """The check of one foreign key."""
    columns = ", ".join(foreign_key.columns)
    return Check(
        f"{'_'.join(foreign_key.columns)}_in_{foreign_key.references}",
        f"Every {columns} is found in {foreign_key.references}.",
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
    if contract.foreign_keys:
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


def checks_of(contract: Contract) -> Iterator[Check]:
    """All checks of a table, in the order in which they are read."""
    yield TYPES
    yield key_check(contract)
    yield from row_checks(contract)
    yield from (foreign_key_check(foreign_key) for foreign_key in contract.foreign_keys)
    yield from OF_RAW if contract.stage == "raw" else OF_STAR
    if contract.grouped:
        yield ONE_SPELLING
    yield from filter(None, (reconciliation_check(contract), newest_check(contract)))
