"""Random tables of a MySQL database, with any name, type and value."""

from dataclasses import dataclass

from hypothesis import strategies as st

from starschema_assets_tests.source.fuzzed_types import LETTERS, REFUSED_TYPES, TYPES

NAMES = (
    *("select", "order", "group", "key", "1st", "42", "two words", " led", "dot.ted", "a/b", "%s"),
    *("Mixed", "it's", 'say "so"', "back`tick", "``", "back\\slash", "colon:x", "größe", "日本"),
    *("semi;colon", "--", "/*", "#hash", "@at", "$", "_", "a\nb", "ta\tb", "c0", "slice", "NULL"),
)


@dataclass(frozen=True)
class Column:
    """A column's definition, and its values as SQL; the server may convert the values."""

    name: str
    declared: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table's definition, and how it is read."""

    name: str
    columns: tuple[Column, ...]
    key: int = 0
    """Number of the first columns that are the primary key."""
    is_view: bool = False
    """Read the table through a view."""
    slice_bytes: int | None = None
    """Size of a slice in bytes, if the table is read in slices."""


_RARELY = st.sampled_from([False] * 50 + [True] + [False] * 50)

_NAMES = st.sampled_from(NAMES) | st.text(
    st.sampled_from(LETTERS.replace("\0", "").replace("😀👍🏽", ""))
    | st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
    max_size=20,
).map(lambda name: name.rstrip() or "x")


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Return a strategy for tables with few rows."""
    rows = draw(st.sampled_from([8, 4, 1, 0, 8, 8]))
    names = draw(st.lists(_NAMES, min_size=3, max_size=12, unique_by=str.casefold))
    key = draw(st.sampled_from([0, 1, 1, 2]))
    columns = tuple(draw(_columns(name, rows, in_key=i < key)) for i, name in enumerate(names))
    return Table(
        draw(_NAMES),
        columns,
        key=min(key, len(columns)),
        is_view=draw(st.sampled_from([False, False, True])),
        slice_bytes=draw(st.sampled_from([None, 100, 1000])),
    )


@st.composite
def _columns(draw: st.DrawFn, name: str, rows: int, *, in_key: bool) -> Column:
    of_kinds = REFUSED_TYPES if not in_key and draw(_RARELY) else TYPES
    declared, values = draw(of_kinds[draw(st.sampled_from(sorted(of_kinds)))])
    nullable = draw(st.sampled_from(["", " not null"]))
    values = values if in_key or nullable else st.just("NULL") | values
    drawn = draw(st.lists(values, min_size=rows, max_size=rows))
    return Column(name, declared + nullable, tuple(drawn))
