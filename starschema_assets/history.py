"""The history of a dimension: a table of versions, as a contract.

A version is valid in [validFrom, validTo). The first one of every key begins on 0001-01-01, so that
any date finds a version; the open one ends on 9999-12-31. A key that is gone from the source has a
version too: its last values, marked as deleted. So the versions of a key leave no gap.
"""

from starschema_assets.contract import Column, Contract, Rule
from starschema_assets.versions import FIRST_DAY, OPEN_END, tracked_of

VERSION = Column("version", "int", "Number of the version, from 1 for each key.")
VALIDITY = (
    Column("validFrom", "date", "First day of the version; 0001-01-01 for a key's first."),
    Column("validTo", "date", "Day after its last one; 9999-12-31 for the version of today."),
    Column("isCurrent", "boolean", "True for the version of today: one for each key."),
    Column("isDeleted", "boolean", "True if the source no longer had the row: its last values."),
    Column("observedOn", "date", "Day of the snapshot that opened the version."),
)
COLUMNS = (VERSION, *VALIDITY)
"""The columns of every history beside the key and what is tracked."""

_RULES = (
    Rule("valid_for_a_day", "validFrom < validTo", "A version is valid for a day at least."),
    Rule(
        "current_is_open",
        f"isCurrent = (validTo = {OPEN_END})",
        "The current version is the one without an end.",
    ),
    Rule(
        "begins_when_observed",
        f"validFrom = case when version = 1 then {FIRST_DAY} else observedOn end",
        "A first version has no beginning, any other begins on the day that it was observed.",
    ),
    Rule("first_is_there", "version > 1 or not isDeleted", "A first version isn't a deletion."),
)


def history_contract(dimension: Contract) -> Contract:
    """The contract of the table that holds the versions of a dimension's rows."""
    tracked = tracked_of(dimension)
    names = {column.name for column in tracked.columns}
    return Contract(
        stage=dimension.stage,
        table=f"{dimension.table}_history",
        grain=f"one row per version of a row of {dimension.table}",
        description=f"What {dimension.table} was on any day since the first refresh: join on the "
        "key and version, or on the key and `validFrom <= day and day < validTo`.",
        key=(*dimension.key, VERSION.name),
        columns=(
            *(column for column in dimension.columns if column.name in dimension.key),
            VERSION,
            *tracked.columns,
            *VALIDITY,
        ),
        foreign_keys=tuple(key for key in dimension.foreign_keys if names.issuperset(key.columns)),
        rules=_RULES,
        sorted_by=(*dimension.key, VERSION.name),
        dimension=dimension,
    )
