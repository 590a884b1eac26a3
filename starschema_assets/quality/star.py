"""Audit of a star table's age: the snapshots that it was made of, and its newest date."""

from collections.abc import Iterator, Mapping
from datetime import date

from starschema_assets.contract import Contract
from starschema_assets.quality.checks import ONE_SNAPSHOT, newest_check
from starschema_assets.quality.finding import Finding
from starschema_assets.quality.rows import Tables


def one_snapshot(contract: Contract, snapshots: Mapping[str, str]) -> Finding:
    """Compare the snapshots of the raw tables that a star table was made of."""
    passed = len(set(snapshots.values())) <= 1
    message = "; ".join(f"raw/{table} is of {snapshot}" for table, snapshot in snapshots.items())
    return Finding(contract, ONE_SNAPSHOT, passed=passed, message="" if passed else message)


def newest(
    tables: Tables, contract: Contract, today: date, max_age: int | None
) -> Iterator[Finding]:
    """Look at the newest date; `max_age` in days, None if its age doesn't matter."""
    check = newest_check(contract)
    if check is None or contract.newest is None:
        return
    column = contract.newest.column
    _, ((found,),) = tables.fetch(f"select max({column}) from {contract.stage}.{contract.table}")
    age = (today - found).days if found else None
    passed = age is not None and age >= 0 and (max_age is None or age <= max_age)
    yield Finding(contract, check, passed=passed, message=f"the newest {column} is {found}")
