"""Audits a history: its versions by themselves, and against the published ones."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from starschema_assets.checks import (
    NEW_VERSIONS,
    NOT_BEGUN_ANEW,
    NOTHING_LOST,
    ONE_VERSION_A_DAY,
    SAME_HISTORY,
)
from starschema_assets.contract import Contract
from starschema_assets.lake.lake import mapping_of
from starschema_assets.lake.parquet import Footer
from starschema_assets.quality.audit import EXAMPLES, Tables
from starschema_assets.quality.files import Finding, mask
from starschema_assets.versions import OPEN_END, PREVIOUS, folded_equal, has_text_key, tracked_names


def one_version_a_day(tables: Tables, contract: Contract) -> Finding:
    """Find versions that don't end on the day on which the next one starts."""
    key = ", ".join(f'"{name}"' for name in contract.key[:-1])
    window = f"over (partition by {key} order by version)"
    _, ((offending,),) = tables.fetch(
        "select count(*) from ("
        f"select version, validTo, row_number() {window} as place, "
        f"lead(validFrom) {window} as nextFrom "
        f'from star."{contract.table}") as versions '
        f"where version <> place or validTo <> coalesce(nextFrom, {OPEN_END})"
    )
    return Finding(contract, ONE_VERSION_A_DAY, passed=not offending, offending_rows=offending)


def nothing_lost(
    tables: Tables, contract: Contract, day: date, stored: Collection[str], rows: int
) -> Finding:
    """Check that all published versions from before a day are there, unchanged.

    `stored` are the tracked columns that both histories have. `rows` is the number of rows of the
    published one.
    """
    same = [
        "before.validFrom = after.validFrom",
        "before.isDeleted = after.isDeleted",
        "before.observedOn = after.observedOn",
        *(
            f'before."{n}" is not distinct from after."{n}"'
            for n in tracked_names(contract)
            if n in stored
        ),
        # An earlier run of the day may have ended it as well
        f"(before.validTo = after.validTo or least(before.validTo, after.validTo) >= date '{day}')",
    ]
    older = f"observedOn < date '{day}'"
    before, after = f'{PREVIOUS}."{contract.table}"', f'star."{contract.table}"'
    lost = 0
    for part in _parts(tables, contract, rows):
        _, ((gone,),) = tables.fetch(
            f"select count(*) from (select * from {before} where {older} and {part}) as before "
            f"left join (select * from {after} where {older} and {part}) as after "
            f"on {folded_equal(contract, 'before', 'after')} and before.version = after.version "
            f"where ({' and '.join(same)}) is not true"
        )
        lost += gone
    _, ((added,),) = tables.fetch(
        f"select (select count(*) from {after} where {older}) "
        f"- (select count(*) from {before} where {older})"
    )
    message = f"{lost} versions from before {day} are missing or changed" if lost else ""
    if added and not lost:
        message = f"{added} versions were added with a date before {day}"
    return Finding(
        contract, NOTHING_LOST, passed=not message, message=message, offending_rows=lost, final=True
    )


def nothing_lost_by_rebuild(
    tables: Tables, contract: Contract, day: date, published: Footer
) -> Finding:
    """Find published versions that a rebuilt history lacks.

    The rebuilt history has a version if one of its own has the same values, was observed no later,
    and is valid on the day on which the published one was observed. `day` is the last day of the
    rebuild.
    """
    filled = mapping_of(published.metadata, "filled")
    same = [
        folded_equal(contract, "before", "after"),
        "before.isDeleted = after.isDeleted",
        "after.observedOn <= before.observedOn",
        "before.observedOn < after.validTo",
        *(
            f'(before."{n}" is not distinct from after."{n}" '
            f"or before.observedOn < date '{filled.get(n, date.min)}')"
            for n in tracked_names(contract)
            if n in published.schema.names
        ),
    ]
    before, after = f'{PREVIOUS}."{contract.table}"', f'star."{contract.table}"'
    key = ", ".join(f'"{name}"' for name in contract.key)
    count = 0
    examples: list[dict[str, Any]] = []
    for part in _parts(tables, contract, published.rows):
        columns, rows = tables.fetch(
            f"select *, count(*) over () as lost from (select * from {before} where {part} "
            f"and observedOn <> date '{day}') as before "
            f"where not exists (select 1 from (select * from {after} where {part}) as after "
            f"where {' and '.join(same)}) order by {key} limit {EXAMPLES}"
        )
        lost = [dict(zip(columns, row, strict=True)) for row in rows]
        count += lost[0]["lost"] if lost else 0
        examples += lost[: EXAMPLES - len(examples)]
    named = [
        f"{', '.join(f'{name} {row[name]}' for name in contract.key)} of {row['observedOn']}"
        for row in examples
    ]
    named += [f"{count - len(named)} more"] if count > len(named) else []
    message = (
        f"the rebuilt history lacks published versions: {'; '.join(named)}. Rebuild it from more "
        "days, or accept that they are lost"
    )
    return Finding(
        contract,
        NOTHING_LOST,
        passed=not count,
        message=message if count else "",
        offending_rows=count,
        examples=[mask(contract, row, ["lost"]) for row in examples],
    )


def _parts(tables: Tables, contract: Contract, rows: int) -> Sequence[str]:
    """Return conditions on the key that cut a history of `rows` rows into parts.

    A text key isn't cut: its spelling may change, and its versions would fall in different parts.
    """
    if has_text_key(contract):
        return ["true"]
    return tables.parts(f'{PREVIOUS}."{contract.table}"', contract.key[0], rows)


def new_versions(tables: Tables, contract: Contract, since: date, limit: float) -> Finding:
    """Check that the share of rows with a new version is within `limit` on each day."""
    _, days = tables.fetch(
        "select observedOn, opened, sum(firsts) over (order by observedOn) - firsts as known "
        "from (select observedOn, count(*) - sum(isFirst) as opened, sum(isFirst) as firsts "
        "from (select observedOn, case when version = 1 then 1 else 0 end as isFirst "
        f'from star."{contract.table}") as versions group by observedOn) as days '
        "order by observedOn"
    )
    judged = [
        (opened / known, f"{opened} of {known} rows got a new version on {day}")
        for day, opened, known in days
        if known and day >= since
    ]
    told = [f"{text}: {share:.1%}" for share, text in judged if share > limit]
    passed = not told
    told = told or [f"{text}: {share:.1%}" for share, text in judged[-1:]]
    message = f"{'; '.join(told)}, {limit:.1%} allowed" if told else ""
    return Finding(contract, NEW_VERSIONS, passed=passed, message=message)


def not_begun_anew(contract: Contract, trace: str) -> Finding:
    """Report a history that would start anew. `trace` is the evidence of an earlier one."""
    message = (
        f"{trace}: restore {contract.name}, or rebuild it with `make history`, or accept that it "
        "starts anew and that its earlier versions are lost"
    )
    return Finding(contract, NOT_BEGUN_ANEW, passed=not trace, message=message if trace else "")


def same_history(
    contract: Contract, recorded: Mapping[str, str], published: Mapping[str, str]
) -> Finding:
    """Check that a table was built from the published histories. Both map a name to a digest."""
    others = [f"star/{name}" for name, digest in recorded.items() if digest != published.get(name)]
    message = f"it was built from another version of {', '.join(others)}: materialize it again"
    return Finding(contract, SAME_HISTORY, passed=not others, message=message if others else "")
