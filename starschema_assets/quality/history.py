"""Audit of a history: its versions by themselves, and beside those that are published."""

from collections.abc import Collection, Mapping
from datetime import date

from starschema_assets.checks import (
    NEW_VERSIONS,
    NOT_BEGUN_ANEW,
    NOTHING_LOST,
    ONE_VERSION_A_DAY,
    SAME_HISTORY,
)
from starschema_assets.contract import Contract
from starschema_assets.quality.audit import Tables
from starschema_assets.quality.files import Finding
from starschema_assets.versions import OPEN_END, PREVIOUS, folded_equal, has_text_key, tracked_names


def one_version_a_day(tables: Tables, contract: Contract) -> Finding:
    """Find versions that the next one doesn't follow at once."""
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


def keys_before(tables: Tables, contract: Contract, day: date) -> int:
    """The rows of the dimension that the published history knew before a day."""
    _, ((known,),) = tables.fetch(
        f'select count(*) from {PREVIOUS}."{contract.table}" '
        f"where version = 1 and observedOn < date '{day}'"
    )
    return int(known)


def nothing_lost(
    tables: Tables, contract: Contract, day: date, stored: Collection[str], rows: int
) -> Finding:
    """Compare the versions with the published ones that are older than a day.

    `stored` are the tracked columns that both have; `rows` are those of the published history.
    """
    same = [
        folded_equal(contract, "before", "after"),
        "before.version = after.version",
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
    # A text key may be spelled in another way today: its versions needn't stand in one part
    cut = not has_text_key(contract)
    lost = 0
    for part in tables.parts(before, contract.key[0], rows) if cut else ["true"]:
        _, ((gone,),) = tables.fetch(
            f"select count(*) from (select * from {before} where {older} and {part}) as before "
            f"where not exists (select 1 from (select * from {after} where {older} and {part}) "
            f"as after where {' and '.join(same)})"
        )
        lost += gone
    _, ((added,),) = tables.fetch(
        f"select (select count(*) from {after} where {older}) "
        f"- (select count(*) from {before} where {older})"
    )
    message = f"{lost} versions from before {day} are gone or altered" if lost else ""
    if added and not lost:
        message = f"{added} more versions than before claim to be from before {day}"
    return Finding(
        contract, NOTHING_LOST, passed=not message, message=message, offending_rows=lost, final=True
    )


def new_versions(
    tables: Tables, contract: Contract, entries: Mapping[str, str], limit: float
) -> Finding:
    """Compare the versions that a day opened with the rows known before; `limit` is a share."""
    day, known = entries["day"], int(entries["keys_before"])
    _, ((opened,),) = tables.fetch(
        f'select count(*) from star."{contract.table}" '
        f"where observedOn = date '{day}' and version > 1"
    )
    share = opened / known if known else 0.0
    message = (
        f"{opened} of {known} rows got a new version on {day}: {share:.1%}, {limit:.1%} allowed"
    )
    return Finding(contract, NEW_VERSIONS, passed=share <= limit, message=message if known else "")


def not_begun_anew(contract: Contract, trace: str) -> Finding:
    """Report a history that would begin anew; `trace` tells that there was one, if so."""
    message = (
        f"{trace}: restore {contract.name}, or accept that it begins anew and that the days of its "
        "earlier versions are lost"
    )
    return Finding(contract, NOT_BEGUN_ANEW, passed=not trace, message=message if trace else "")


def same_history(
    contract: Contract, recorded: Mapping[str, str], published: Mapping[str, str]
) -> Finding:
    """Compare the digests of the histories that a table was made with, by name."""
    others = [f"star/{name}" for name, digest in recorded.items() if digest != published.get(name)]
    message = f"it was made with another version of {', '.join(others)}: materialize it again"
    return Finding(contract, SAME_HISTORY, passed=not others, message=message if others else "")
