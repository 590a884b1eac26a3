"""The checks of a table: those of its stage, and those of its contract."""

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

TYPES = Check("types", "The file has the declared columns in the declared order and types.")
SAME_SOURCE = Check("same_source", "All published raw tables come from the same database.")
SOURCE_SCHEMA = Check(
    "source_schema",
    "The source has the columns that the star uses, with the types of the contract. Any other "
    "change since the last publication is a warning.",
)
EXACT_VALUES = Check(
    "exact_values",
    "All values of the source were stored exactly. Zero dates that STARSCHEMA_ZERO_DATES turned "
    "into NULL are counted in a warning.",
)
ALL_COLUMNS = Check(
    "all_columns",
    "The file has all columns of the source. Columns of unsupported types are left out.",
    warning=True,
)
ONE_SPELLING = Check(
    "one_spelling",
    "A column that users group by has no two spellings that are equal at the source: a `group by` "
    "at the source would merge them, one on the files wouldn't.",
    warning=True,
)
ROW_COUNT = Check(
    "row_count", "The file has as many rows as the source counted in the same snapshot."
)
ROW_LOSS = Check(
    "row_loss",
    "The share of rows lost since the last publication is at most STARSCHEMA_MAX_ROW_LOSS.",
)
ONE_SNAPSHOT = Check(
    "one_snapshot",
    "The raw tables that this table was built from belong to one snapshot of the source.",
    warning=True,
)
ONE_VERSION_A_DAY = Check(
    "one_version_a_day",
    "The versions of a key are numbered from 1, without gaps or overlaps between their days. Each "
    "day has exactly one version, and one version is current.",
)
NOTHING_LOST = Check(
    "nothing_lost",
    "All versions from before this day still exist, with the same values and days; only the last "
    "version of a key may have ended. A rebuilt history has the same values on the days of these "
    "versions.",
)
NEW_VERSIONS = Check(
    "new_versions",
    "The share of the dimension's rows that got a new version on one day is at most "
    "STARSCHEMA_MAX_NEW_VERSIONS. New rows don't count.",
)
NOT_BEGUN_ANEW = Check(
    "not_begun_anew",
    "The history continues the published one. It doesn't start again after a history was lost.",
)
SAME_HISTORY = Check("same_history", "The table was built from the published histories.")


def checks_of(contract: Contract) -> Iterator[Check]:
    """Yield all checks of a table in display order."""
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
