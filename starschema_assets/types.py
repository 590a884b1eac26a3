"""The type of a column on its way: what the source declares, Athena's name for it, Arrow's type.

The names of Athena are the vocabulary of the contracts; DuckDB and Spark understand them too.
"""

import re
from dataclasses import dataclass

import pyarrow as pa

MAX_DECIMAL_DIGITS = 38
"""What DuckDB, Arrow's decimal128, Spark and Athena hold."""


class UnsupportedType(ValueError):  # noqa: N818 - says what the type is, as TypeError does
    """A type that can't be held exactly, or that the table in this module doesn't know."""


@dataclass(frozen=True)
class SourceType:
    """What becomes of a declared type."""

    athena: str
    presented: pa.DataType
    """What DuckDB must present for it; anything else is refused before a cast."""


_ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "string": pa.string(),
    "binary": pa.binary(),
}
_ATHENA: dict[pa.DataType, str] = {arrow: athena for athena, arrow in _ARROW.items()} | {
    pa.large_string(): "string",
    pa.large_binary(): "binary",
}

_TEXT = SourceType("string", pa.string())
_BINARY = SourceType("binary", pa.binary())

_SOURCE: dict[str, SourceType] = {
    "boolean": SourceType("boolean", pa.bool_()),
    "bit(1)": SourceType("boolean", pa.bool_()),
    "bit": _BINARY,  # bit(2) to bit(64): big-endian bytes
    "tinyint": SourceType("tinyint", pa.int8()),  # tinyint(1) too: it may hold 2 to 127
    "smallint": SourceType("smallint", pa.int16()),
    "mediumint": SourceType("int", pa.int32()),
    "int": SourceType("int", pa.int32()),
    "integer": SourceType("int", pa.int32()),
    "bigint": SourceType("bigint", pa.int64()),
    "tinyint unsigned": SourceType("smallint", pa.uint8()),
    "smallint unsigned": SourceType("int", pa.uint16()),
    "mediumint unsigned": SourceType("int", pa.uint32()),
    "int unsigned": SourceType("bigint", pa.uint32()),
    "bigint unsigned": SourceType("decimal(20,0)", pa.uint64()),
    "utinyint": SourceType("smallint", pa.uint8()),
    "usmallint": SourceType("int", pa.uint16()),
    "uinteger": SourceType("bigint", pa.uint32()),
    "ubigint": SourceType("decimal(20,0)", pa.uint64()),
    "float": SourceType("float", pa.float32()),
    "double": SourceType("double", pa.float64()),
    "date": SourceType("date", pa.date32()),
    "datetime": SourceType("timestamp", pa.timestamp("us")),
    "timestamp": SourceType("timestamp", pa.timestamp("us")),  # in UTC
    "time": _TEXT,  # -838:59:59 to 838:59:59, beyond what a time of day holds
    "year": SourceType("int", pa.int32()),
    "char": _TEXT,
    "varchar": _TEXT,
    "tinytext": _TEXT,
    "text": _TEXT,
    "mediumtext": _TEXT,
    "longtext": _TEXT,
    "enum": _TEXT,
    "set": _TEXT,
    "json": _TEXT,
    "uuid": _TEXT,
    "inet4": _TEXT,
    "inet6": _TEXT,
    "binary": _BINARY,
    "varbinary": _BINARY,
    "tinyblob": _BINARY,
    "blob": _BINARY,
    "mediumblob": _BINARY,
    "longblob": _BINARY,
}

_DECLARED = re.compile(
    r"(?P<name>[a-z][a-z0-9]*)"
    r"(?:\((?P<digits>\d+)(?:, ?(?P<scale>\d+))?\)|\('.*'\))?"
    r"(?P<unsigned> unsigned)?(?: zerofill)?"
    r"(?: /\*.*\*/)?",  # MariaDB's remarks, e.g. on compressed columns
    re.IGNORECASE | re.DOTALL,
)
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def source_type(declared: str) -> SourceType:
    """What becomes of a type that MySQL or DuckDB declares, e.g. `int(10) unsigned`."""
    match = _DECLARED.fullmatch(declared)
    name = match["name"].lower() if match else ""
    if match and name == "decimal" and match["digits"]:
        return _decimal(declared, int(match["digits"]), int(match["scale"] or 0))
    if match and match["unsigned"] and f"{name} unsigned" in _SOURCE:
        name = f"{name} unsigned"
    if name == "bit" and match and match["digits"] == "1":
        name = "bit(1)"
    if name not in _SOURCE:
        raise UnsupportedType(f"{declared} has no counterpart in Athena")
    return _SOURCE[name]


def _decimal(declared: str, digits: int, scale: int) -> SourceType:
    if digits > MAX_DECIMAL_DIGITS:
        raise UnsupportedType(f"{declared} has more than {MAX_DECIMAL_DIGITS} digits")
    return SourceType(f"decimal({digits},{scale})", pa.decimal128(digits, scale))


def arrow_type(athena: str) -> pa.DataType:
    """The Arrow type that holds an Athena type, e.g. `decimal(10,2)`."""
    if decimal := _DECIMAL.fullmatch(athena):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if athena not in _ARROW:
        raise UnsupportedType(f"{athena!r} is none of {', '.join(_ARROW)}, decimal(p,s)")
    return _ARROW[athena]


def athena_type(arrow: pa.DataType) -> str:
    """The name that Athena gives to an Arrow type; what it can't hold exactly is refused."""
    if pa.types.is_decimal128(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    if arrow not in _ATHENA:
        raise UnsupportedType(
            f"Athena has no type for Arrow's {arrow}: cast it to one of "
            f"{', '.join(map(str, _ARROW.values()))} or a decimal128"
        )
    return _ATHENA[arrow]
