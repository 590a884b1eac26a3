"""The checks of a table: those that every table of its kind has, and those of its contract."""

from collections.abc import Iterator

from starschema_assets.contract import (
    Check,
    Contract,
    foreign_key_check,
    key_check,
    newest_check,
    reconciliation_check,
    row_checks,
)

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
ONE_VERSION_A_DAY = Check(
    "one_version_a_day",
    "The versions of a key count from 1, without a gap or an overlap between their days: any day "
    "finds just one, and one is current.",
)
NOTHING_LOST = Check(
    "nothing_lost",
    "Every version that was published before this day is still there with its values and days; "
    "only the one that was open may have ended. A rebuilt history has the same values on the days "
    "of these versions.",
)
NEW_VERSIONS = Check(
    "new_versions",
    "Not more rows of the dimension got a new version in a day than STARSCHEMA_MAX_NEW_VERSIONS; "
    "rows seen for the first time don't count.",
)
NOT_BEGUN_ANEW = Check(
    "not_begun_anew",
    "The history goes on from the published one: it doesn't begin anew where there was one.",
)
SAME_HISTORY = Check("same_history", "The table was made with the histories that are published.")


def checks_of(contract: Contract) -> Iterator[Check]:
    """All checks of a table, in the order in which they are read."""
    yield TYPES
    yield key_check(contract)
    yield from row_checks(contract)
    yield from (foreign_key_check(foreign_key) for foreign_key in contract.foreign_keys)
    if contract.stage == "raw":
        yield from (SAME_SOURCE, SOURCE_SCHEMA, ALL_COLUMNS, EXACT_VALUES, ROW_COUNT, ROW_LOSS)
    else:
        yield ONE_SNAPSHOT
    if contract.dimension:
        yield from (ONE_VERSION_A_DAY, NOTHING_LOST, NEW_VERSIONS, NOT_BEGUN_ANEW)
    if any(key.day for key in contract.foreign_keys):
        yield SAME_HISTORY
    if contract.grouped:
        yield ONE_SPELLING
    yield from filter(None, (reconciliation_check(contract), newest_check(contract)))
