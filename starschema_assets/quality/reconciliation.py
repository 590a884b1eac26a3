"""Reconciliation: compares sums of a star table with sums that the source computes in the snapshot.

The table's contract declares the sums. Queries at the source use SQL that MySQL and DuckDB share.
Sums are transferred as text, because they may have more digits than a float can store.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from starschema_assets.contract import Check, Contract, Reconciliation, reconciliation_check
from starschema_assets.quality.audit import Tables
from starschema_assets.quality.files import Finding

Sums = Mapping[str, tuple[Decimal, ...]]
"""The sums of each group, in declared order. The group is '' for rows without a group."""
Row = Sequence[Any]
Ask = Callable[[str], Sequence[Row]]
"""Runs a query at the source in the snapshot and returns its rows."""


def ask_source(
    ask: Ask, quoted: Callable[[str], str], declared: Reconciliation
) -> tuple[int | None, list[list[str]]]:
    """Query the sums of each group. Return the summed table's number of rows, and the sums.

    `quoted` quotes a name in the source's SQL, so that it may be a reserved word.

    If the groups have disjoint key ranges, e.g. order numbers that increase with the year, the
    sums of each range are queried without a join. That takes the server half the time. It also
    counts the rows; otherwise their number is None.
    """
    declared = replace(
        declared,
        table=quoted(declared.table),
        group_table=declared.group_table and quoted(declared.group_table),
        group_key=declared.group_key and quoted(declared.group_key),
    )
    ranges = ask(_ranges(declared)) if declared.group_table else []
    are_numbers = all(isinstance(bound, int) for _, *bounds in ranges for bound in bounds)
    are_disjoint = all(last < first for (_, _, last), (_, first, _) in pairwise(ranges))
    if ranges and are_numbers and are_disjoint and not ask(_outside(declared, ranges))[0][0]:
        of_ranges = [
            [group, *ask(_of_range(declared, first, last))[0]] for group, first, last in ranges
        ]
        rows = sum(int(counted) for _, counted, *_ in of_ranges)
        return rows, [[group, *sums] for group, counted, *sums in of_ranges if int(counted)]
    return None, [[group, *sums] for group, *sums in ask(_of_every_row(declared))]


def _ranges(declared: Reconciliation) -> str:
    return (
        f"select {_as_text(declared.group)} as grp, min({declared.group_key}), "
        f"max({declared.group_key}) from {declared.group_table} group by 1 order by 2"
    )


def _outside(declared: Reconciliation, ranges: Sequence[Row]) -> str:
    """Return a query that counts the rows in none of the ranges. It uses an index of the key."""
    key = declared.group_key
    gaps = [
        f"{key} > {last} and {key} < {first}" for (_, _, last), (_, first, _) in pairwise(ranges)
    ]
    outside = [f"{key} is null", f"{key} < {ranges[0][1]}", *gaps, f"{key} > {ranges[-1][2]}"]
    return f"select count(*) from {declared.table} where {' or '.join(outside)}"


def _of_range(declared: Reconciliation, first: object, last: object) -> str:
    sums = ", ".join(_sum_as_text(each.source) for each in declared.sums)
    return (
        f"select cast(count(*) as char), {sums} from {declared.table} "
        f"where {declared.group_key} between {first} and {last}"
    )


def _of_every_row(declared: Reconciliation) -> str:
    """Return a query that sums up rows by key before it joins: one look-up per key, not per row."""
    sums = [f"{each.source} as sum{n}" for n, each in enumerate(declared.sums)]
    if declared.group_table is None:
        texts = ", ".join(_sum_as_text(each.source) for each in declared.sums)
        return f"select {_as_text(declared.group)} as grp, {texts} from {declared.table} group by 1"
    key = declared.group_key
    texts = ", ".join(_sum_as_text(f"sum(sum{n})") for n in range(len(sums)))
    return (
        f"select coalesce(grp, '') as named, {texts} from "
        f"(select {key}, {', '.join(sums)} from {declared.table} group by {key}) as summed "
        f"left join (select {key} as joined, {_as_text(declared.group)} as grp "
        f"from {declared.group_table}) as grouped on {key} = joined group by 1"
    )


def _sum_as_text(expression: str) -> str:
    return f"coalesce(cast({expression} as char), '0')"


def _as_text(group: str) -> str:
    return f"coalesce(cast({group} as char), '')"


def sums_in(entry: str) -> Sums:
    """Return the sums that are recorded in an entry of a file's metadata."""
    return {group: tuple(map(Decimal, sums)) for group, *sums in json.loads(entry)}


def matches_source(
    tables: Tables, contract: Contract, entries: Mapping[str, str]
) -> Iterator[Finding]:
    """Compare the sums of each group with the source's, which are in the file's `entries`.

    Yield a warning for a fact table that declares no reconciliation.
    """
    check = reconciliation_check(contract)
    declared = contract.reconciliation
    if check is None:
        return
    if declared is None:
        message = "its contract declares no sums to compare with the source"
        yield Finding(contract, check, passed=False, message=message)
    elif declared.entry not in entries:
        message = f"raw/{declared.table} has no sums computed by the source: materialize it"
        yield Finding(contract, check, passed=False, message=message)
    else:
        here = _of_table(tables, contract, declared)
        yield _compared(contract, check, declared, here, sums_in(entries[declared.entry]))


def _of_table(tables: Tables, contract: Contract, declared: Reconciliation) -> Sums:
    # Group first and cast afterwards: grouping by text takes twice the time
    inner = [f"{each.here} as sum{n}" for n, each in enumerate(declared.sums)]
    outer = [f"cast(coalesce(sum(sum{n}), 0) as {s.type})" for n, s in enumerate(declared.sums)]
    _, rows = tables.fetch(
        f"select coalesce(cast(grp as varchar), ''), {', '.join(outer)} "
        f"from (select {declared.group} as grp, {', '.join(inner)} "
        f"from {contract.stage}.{contract.table} group by 1) as grouped group by 1"
    )
    return {group: tuple(map(Decimal, sums)) for group, *sums in rows}


def _compared(
    contract: Contract, check: Check, declared: Reconciliation, here: Sums, source: Sums
) -> Finding:
    def shown(figures: Iterable[Decimal] | None) -> str:
        if figures is None:
            return "nothing"
        pairs = zip(figures, declared.sums, strict=True)
        return ", ".join(f"{figure} {each.unit}" for figure, each in pairs)

    names = {group: group or f"no {declared.group_name}" for group in sorted({*here, *source})}
    differences = [
        f"{name}: {shown(here.get(group))} in the table, {shown(source.get(group))} at the source"
        for group, name in names.items()
        if here.get(group) != source.get(group)
    ]
    agreed = [f"{name}: {shown(here.get(group))}" for group, name in names.items()]
    return Finding(
        contract,
        check,
        passed=not differences,
        message="; ".join(differences or agreed),
    )
