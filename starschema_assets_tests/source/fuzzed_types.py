"""Random types of MySQL, and random values for each."""

import json
from typing import Literal

from hypothesis import strategies as st

CHARSETS = (
    *("latin1", "latin2", "latin5", "latin7", "ascii", "utf8mb3", "utf8mb4", "ucs2", "utf16"),
    *("utf16le", "utf32", "sjis", "cp932", "ujis", "eucjpms", "big5", "gb2312", "gbk", "euckr"),
    *("cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1256", "cp1257", "koi8r", "koi8u"),
    *("greek", "hebrew", "tis620", "swe7", "hp8", "dec8", "keybcs2", "macce", "macroman"),
    *("armscii8", "geostd8", "gb18030"),
)
"""All character sets of the servers except `binary`, in which text is bytes."""

LETTERS = (
    "aZ09 '\"\\`%_;:\0\n\r\t\x1a\x7f\x80\u0301\u200b\ufeff\uffff"
    "éñßÿ€\u201a™ŒœЖאα한국日本語ﾊﾝﾄ漢😀👍🏽"
)
"""Characters that are known to cause problems."""

Drawn = tuple[str, st.SearchStrategy[str]]
"""A declared type, and a strategy for its values as SQL."""


def _integers(low: int, high: int) -> st.SearchStrategy[str]:
    edges = st.sampled_from([low, low + 1, -1, 0, 1, high - 1, high, high + 1])
    return (edges | st.integers(low, high)).map(str)


def _integer(name: str, bits: int) -> st.SearchStrategy[Drawn]:
    half = 1 << bits - 1
    return st.just((name, _integers(-half, half - 1)))


def _unsigned(name: str, bits: int) -> st.SearchStrategy[Drawn]:
    return st.sampled_from(["", " zerofill"]).map(
        lambda fill: (name + fill, _integers(0, (1 << bits) - 1))
    )


@st.composite
def _decimal(draw: st.DrawFn) -> Drawn:
    digits = draw(st.sampled_from([1, 10, 37, 38]) | st.integers(1, 38))
    scale = draw(st.sampled_from([0, min(digits, 38)]) | st.integers(0, min(digits, 38)))
    values = _integers(1 - 10**digits, 10**digits - 1).map(lambda number: f"{number}e-{scale}")
    exact = values.map(lambda value: f"CAST('{value}' AS DECIMAL({digits},{scale}))")
    unsigned = draw(st.sampled_from(["", "", " unsigned"]))
    return f"decimal({digits},{scale}){unsigned}", exact


def _float(name: str, width: Literal[32, 64]) -> st.SearchStrategy[Drawn]:
    numbers = st.floats(width=width, allow_nan=False, allow_infinity=False).map(repr)
    return st.sampled_from(["", "", "(7,3)", " unsigned"]).map(lambda rest: (name + rest, numbers))


def _fraction(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[Drawn]:
    return st.sampled_from(["", "(1)", "(3)", "(6)"]).map(
        lambda digits: (name + digits, values.map(lambda value: f"'{value}'"))
    )


_DAYS = (
    st.sampled_from(["0001-01-01", "1000-01-01", "1582-10-10", "1969-12-31", "9999-12-31"])
    | st.sampled_from(["2024-02-29", "1900-02-28", "2000-02-29"])
    | st.dates().map(str)
)
_NO_DAYS = st.sampled_from(
    ["0000-00-00", "2025-00-15", "2025-01-00", "2025-02-31", "0000-01-01", "1900-02-29"]
)
_TIMES = st.times().map(str)
_MOMENTS = st.tuples(_DAYS, _TIMES).map(" ".join)
_NO_MOMENTS = st.tuples(_NO_DAYS, _TIMES | st.just("00:00:00")).map(" ".join)
_STAMPS = st.integers(0, 2**31 - 1).map(lambda second: f"FROM_UNIXTIME({second}.123456)")


def _dates(
    name: str, days: st.SearchStrategy[str], rare: st.SearchStrategy[str]
) -> st.SearchStrategy[Drawn]:
    with_rare = st.one_of(days, days, rare)
    return st.sampled_from([days, days, with_rare]).flatmap(lambda values: _fraction(name, values))


def text_literal(text: str) -> str:
    """Return a string as an SQL literal, with any characters."""
    return f"_utf8mb4 x'{text.encode().hex()}'"


_LETTERS = st.sampled_from(LETTERS) | st.characters(exclude_categories=["Cs"])
_TEXTS = st.text(_LETTERS, max_size=12)
_ENDS = st.sampled_from(["", "", " ", "  ", "\t", "\0"])
_CONTENT = (
    st.tuples(_TEXTS, _ENDS).map("".join).map(text_literal)
    | st.just("''")
    | st.binary(max_size=12).map(lambda raw: f"CONVERT(x'{raw.hex()}' USING latin1)")
    | st.integers(1, 9000).map(lambda times: f"REPEAT('é ', {times})")
)


@st.composite
def _text(draw: st.DrawFn, name: str) -> Drawn:
    charset = draw(st.just("latin1") | st.sampled_from(CHARSETS))
    collate = draw(st.sampled_from(["", "", " collate %s_bin"])).replace("%s", charset)
    return f"{name} character set {charset}{collate}", _CONTENT


def _string(name: str, longest: int) -> st.SearchStrategy[Drawn]:
    return st.integers(1, longest).flatmap(lambda length: _text(f"{name}({length})"))


def _bytes(name: str) -> st.SearchStrategy[Drawn]:
    raw = st.binary(max_size=20).map(lambda raw: f"x'{raw.hex()}'")
    return st.just((name, raw | st.integers(1, 9000).map(lambda n: f"REPEAT(x'00ff', {n})")))


def _members(kind: str) -> st.SearchStrategy[Drawn]:
    """Values are the member's number, or bits; 0 is the empty text, member or not."""
    taken = _TEXTS.map(lambda text: text.replace(",", ";").rstrip() or "x")
    members = st.lists(taken, min_size=1, max_size=4, unique_by=str.casefold)
    return members.map(
        lambda names: (
            f"{kind}({', '.join(map(_quoted, names))}) character set utf8mb4 collate utf8mb4_bin",
            st.integers(0, len(names) if kind == "enum" else 2 ** len(names) - 1).map(str),
        )
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
).map(lambda content: text_literal(json.dumps(content)))

TYPES: dict[str, st.SearchStrategy[Drawn]] = {
    "boolean": st.just(("boolean", _integers(-128, 127))),
    "tinyint": st.sampled_from(["tinyint", "tinyint(1)"]).flatmap(lambda name: _integer(name, 8)),
    "smallint": _integer("smallint", 16),
    "mediumint": _integer("mediumint", 24),
    "int": _integer("int", 32),
    "integer": _integer("integer", 32),
    "bigint": _integer("bigint", 64),
    "tinyint unsigned": _unsigned("tinyint unsigned", 8),
    "smallint unsigned": _unsigned("smallint unsigned", 16),
    "mediumint unsigned": _unsigned("mediumint unsigned", 24),
    "int unsigned": _unsigned("int(5) unsigned", 32),
    "bigint unsigned": _unsigned("bigint unsigned", 64),
    "decimal": _decimal(),
    "float": _float("float", 32),
    "double": _float("double", 64),
    "bit(1)": st.just(("bit(1)", st.sampled_from(["0", "1"]))),
    "bit": st.integers(2, 64).map(lambda bits: (f"bit({bits})", _integers(0, 2**bits - 1))),
    "date": st.sampled_from([_DAYS, _DAYS, _DAYS | _NO_DAYS]).map(
        lambda days: ("date", days.map(lambda day: f"'{day}'"))
    ),
    "datetime": _dates("datetime", _MOMENTS, _NO_MOMENTS),
    "timestamp": st.tuples(
        st.sampled_from(["", "(2)", "(6)"]),
        st.sampled_from([_STAMPS, _STAMPS, _STAMPS | st.just("'0000-00-00'")]),
    ).map(lambda drawn: (f"timestamp{drawn[0]} null", drawn[1])),
    "time": _fraction(
        "time",
        st.timedeltas().map(
            lambda t: f"{'-' * (t.days < 0)}{abs(t.days) % 839}:59:59.{t.microseconds:06}"
        )
        | st.sampled_from(["838:59:59", "-838:59:59.999999", "-00:00:00.000001", "0"]),
    ),
    "year": st.just(("year", st.sampled_from(["0", "1901", "2155"]) | _integers(1901, 2155))),
    "char": _string("char", 60),
    "varchar": _string("varchar", 60),
    "tinytext": _text("tinytext"),
    "text": _text("text"),
    "mediumtext": _text("mediumtext"),
    "longtext": _text("longtext"),
    "enum": _members("enum"),
    "set": _members("set"),
    "json": st.just(("json", _JSON)),
    "uuid": st.just(("uuid", st.uuids().map(lambda number: f"'{number}'"))),
    "inet4": st.just(("inet4", st.ip_addresses(v=4).map(lambda address: f"'{address}'"))),
    "inet6": st.just(("inet6", st.ip_addresses(v=6).map(lambda address: f"'{address}'"))),
    "binary": st.integers(1, 30).flatmap(lambda length: _bytes(f"binary({length})")),
    "varbinary": st.integers(1, 30).flatmap(lambda length: _bytes(f"varbinary({length})")),
    "tinyblob": _bytes("tinyblob"),
    "blob": _bytes("blob"),
    "mediumblob": _bytes("mediumblob"),
    "longblob": _bytes("longblob"),
}
"""For each type of the mapping: strategies for declarations and their values."""

REFUSED_TYPES: dict[str, st.SearchStrategy[Drawn]] = {
    "point": st.just(("point", st.just("POINT(1, 2)"))),
    "numeric": st.just(("numeric(39,1)", st.just("1.5"))),
}
"""Unsupported types; columns of these types aren't read."""
