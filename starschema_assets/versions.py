"""Generates the SQL of a history: of its first day, and of each day that follows.

The history of a day is computed from the published history and from the values of that day.
Versions that an earlier run of the same day opened are computed again.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from starschema_assets.contract import Contract, Tracked

FIRST_DAY = "date '0001-01-01'"
OPEN_END = "date '9999-12-31'"
PREVIOUS = "previous"
"""The schema of the published history, in the SQL of the next one."""


def first_sql(history: Contract, day: str = "current_date") -> str:
    """Return the query of a new history, with one version per key. `day` is a date in SQL."""
    key, tracked = _parts(history)
    return f"""\
select
    {_list(key)},
    1 as version,
    {_list(column.name for column in tracked.columns)},
    {FIRST_DAY} as validFrom,
    {OPEN_END} as validTo,
    true as isCurrent,
    false as isDeleted,
    {day} as observedOn
from star.{tracked.step}
order by {_list(key)}"""


def next_sql(
    history: Contract,
    day: date,
    stored: Collection[str],
    filled: Collection[str] = (),
    part: str = "true",
) -> str:
    """Return the query that continues a history on a day, which is not before its last one.

    It reads `previous.<table>`, which has the columns `stored`, and the step. `filled` are tracked
    columns that are added on this day: they are NULL in closed versions, and the open versions take
    today's values without a new version. `part` is a condition on the key that selects some of the
    rows. It needs a key without text columns, whose spelling may change.
    """
    key, tracked = _parts(history)
    names = [column.name for column in tracked.columns]
    is_known = {name: name in stored and name not in filled for name in names}
    today = f"date '{day}'"
    kept = _list(
        f'"{column.name}"'
        if is_known[column.name]
        else f'cast(null as {column.type}) as "{column.name}"'
        for column in tracked.columns
    )
    changed = " or ".join(
        ["isDeleted", *(f'known."{n}" is distinct from today."{n}"' for n in names if is_known[n])]
    )
    typed = _list(f'cast("{c.name}" as {c.type}) as "{c.name}"' for c in tracked.columns)
    same = _list(
        f'"{n}"' if is_known[n] else f'case when not isChanged then "new {n}" end as "{n}"'
        for n in names
    )
    return f"""\
with today as (
    select {_list(key)}, {_list(names)}
    from star.{tracked.step}
    where {part}
),

kept as (
    select
        {_list(key)},
        version,
        {kept},
        validFrom,
        case when validTo < {today} then validTo else {OPEN_END} end as validTo,
        isDeleted,
        observedOn
    from {PREVIOUS}."{history.table}"
    where observedOn < {today} and {part}
),

{_named(history, key, names)},

judged as (
    select
        known.*,
        {_list(f'today."{name}" as "new {name}"' for name in names)},
        today."{key[0]}" is not null as isThere,
        case when today."{key[0]}" is null then not isDeleted else {changed} end as isChanged
    from (select * from named where validTo = {OPEN_END}) as known
    left join today
        on {_equal(key, "known", "today")}
),

versions as (
    select {_list(key)}, version, {_list(names)}, validFrom, validTo, isDeleted, observedOn
    from named
    where validTo < {OPEN_END}
    union all
    select
        {_list(key)},
        version,
        {same},
        validFrom,
        case when isChanged then {today} else {OPEN_END} end,
        isDeleted,
        observedOn
    from judged
    union all
    select
        {_list(key)},
        version + 1,
        {_list(f'case when isThere then "new {name}" else "{name}" end' for name in names)},
        {today},
        {OPEN_END},
        not isThere,
        {today}
    from judged
    where isChanged
    union all
    select
        {_list(key)},
        1,
        {_list(names)},
        {FIRST_DAY},
        {OPEN_END},
        false,
        {today}
    from today
    where not exists (select 1 from named where {_equal(key, "named", "today")})
)

select
    {_list(key)},
    cast(version as int) as version,
    {typed},
    validFrom,
    validTo,
    validTo = {OPEN_END} as isCurrent,
    isDeleted,
    observedOn
from versions
order by {_list(key)}, version"""


def _named(history: Contract, key: Sequence[str], names: Sequence[str]) -> str:
    """Return the SQL of the kept versions with the keys of today.

    MySQL compares text without case and trailing spaces. So a key whose spelling changed is the
    same key, if each side has only one spelling of it.
    """
    if not has_text_key(history):
        return "named as (\n    select * from kept\n)"
    renamed = _list(f'coalesce(respelled."new {name}", kept."{name}") as "{name}"' for name in key)
    return f"""\
gone as (
    select distinct {_list(key)}
    from kept
    where not exists (select 1 from today where {_equal(key, "today", "kept")})
),

come as (
    select {_list(key)}
    from today
    where not exists (select 1 from kept where {_equal(key, "today", "kept")})
),

respelled as (
    select {_list(f'gone."{name}", come."{name}" as "new {name}"' for name in key)}
    from gone
    inner join come
        on {folded_equal(history, "gone", "come")}
    where
        not exists (
            select 1 from kept
            where {folded_equal(history, "kept", "gone")} and not ({_equal(key, "kept", "gone")})
        )
        and not exists (
            select 1 from today
            where {folded_equal(history, "today", "gone")} and not ({_equal(key, "today", "come")})
        )
),

named as (
    select
        {renamed},
        kept.version,
        {_list(f'kept."{name}"' for name in names)},
        kept.validFrom,
        kept.validTo,
        kept.isDeleted,
        kept.observedOn
    from kept
    left join respelled
        on {_equal(key, "kept", "respelled")}
)"""


def tracked_names(history: Contract) -> list[str]:
    """Return the names of the columns whose changes open a version."""
    _, tracked = _parts(history)
    return [column.name for column in tracked.columns]


def has_text_key(history: Contract) -> bool:
    """Return whether a column of the dimension's key is text, whose spelling may change."""
    key, _ = _parts(history)
    return any(column.type == "string" for column in history.columns if column.name in key)


def folded_equal(history: Contract, one: str, other: str) -> str:
    """Return the condition that two keys of the dimension are equal in the source's collation."""
    key, _ = _parts(history)
    types = {column.name: column.type for column in history.columns}

    def folded(table: str, name: str) -> str:
        column = f'{table}."{name}"'
        return f"lower(rtrim({column}))" if types[name] == "string" else column

    return " and ".join(f"{folded(one, name)} = {folded(other, name)}" for name in key)


def _parts(history: Contract) -> tuple[tuple[str, ...], Tracked]:
    if history.dimension is None:
        raise ValueError(f"{history.name} isn't the history of a dimension")
    return history.dimension.key, tracked_of(history.dimension)


def tracked_of(dimension: Contract) -> Tracked:
    """Return what a dimension tracks. Raises ValueError if it tracks nothing."""
    if dimension.tracked is None:
        raise ValueError(f"{dimension.name} tracks no columns")
    return dimension.tracked


def _equal(key: Iterable[str], one: str, other: str) -> str:
    return " and ".join(f'{one}."{name}" = {other}."{name}"' for name in key)


def _list(items: Iterable[str]) -> str:
    """Join names and expressions with commas, and quote bare names."""
    return ", ".join(f'"{item}"' if item.isidentifier() else item for item in items)
