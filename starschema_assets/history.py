"""The contract of a history: the versions of a slowly changing dimension (type 2).

A version is valid in [validFrom, validTo). The first version of a key starts on 0001-01-01, so that
every date has a version; the current one ends on 9999-12-31. If the source deletes a key, a version
with its last values is marked as deleted. So there is no gap between the versions of a key.
"""

from starschema_assets.contract import Column, Contract, Rule
from starschema_assets.versions import FIRST_DAY, OPEN_END, tracked_of

VERSION = Column("version", "int", "Version number, from 1 for each key.")
VALIDITY = (
    Column("validFrom", "date", "First day of the version; 0001-01-01 for a key's first version."),
    Column("validTo", "date", "Day after the last day; 9999-12-31 for the current version."),
    Column("isCurrent", "boolean", "True for the current version, of which each key has one."),
    Column("isDeleted", "boolean", "True if the source deleted the row. Its last values stay."),
    Column("observedOn", "date", "Day of the snapshot in which the version was first seen."),
)
COLUMNS = (VERSION, *VALIDITY)
"""The columns of every history in addition to the key and the tracked columns."""

_RULES = (
    Rule("valid_for_a_day", "validFrom < validTo", "A version is valid for at least one day."),
    Rule(
        "current_is_open",
        f"isCurrent = (validTo = {OPEN_END})",
        "Only the current version is open-ended.",
    ),
    Rule(
        "begins_when_observed",
        f"validFrom = case when version = 1 then {FIRST_DAY} else observedOn end",
        "A first version starts on 0001-01-01, any other on the day on which it was observed.",
    ),
    Rule("first_is_there", "version > 1 or not isDeleted", "A first version isn't deleted."),
)


def history_contract(dimension: Contract) -> Contract:
    """Return the contract of a dimension's history table."""
    tracked = tracked_of(dimension)
    names = {column.name for column in tracked.columns}
    return Contract(
        stage=dimension.stage,
        table=f"{dimension.table}_history",
        grain=f"one row per version of a row of {dimension.table}",
        description=f"Versions of the rows of {dimension.table} since the first refresh. Join on "
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
