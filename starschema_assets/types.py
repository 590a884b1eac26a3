"""Converts column types: the source's declared type, Athena's type and Arrow's type.

Contracts use Athena's type names. DuckDB and Spark understand them as well.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import types as t

from starschema_assets.errors import StarschemaError

MAX_DECIMAL_DIGITS = 38
"""The limit of DuckDB, Arrow's decimal128, Spark and Athena."""


class UnsupportedType(ValueError):  # noqa: N818 - named after the type
    """A type whose values can't be stored exactly, or that this module doesn't know."""


class ColumnRefused(StarschemaError):  # noqa: N818
    """A column has a type or a value that Athena can't store exactly."""


@dataclass(frozen=True)
class SourceType:
    """The types to which a declared type is converted."""

    athena: str
    presented: pa.DataType
    """The Arrow type in which DuckDB must return it. Any other type is rejected, not cast."""


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
    "tinyint": SourceType("tinyint", pa.int8()),  # also tinyint(1): it isn't always 0 or 1
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
    "time": _TEXT,  # -838:59:59 to 838:59:59: more than a time of day
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
    r"(?: /\*.*\*/)?",  # MariaDB's comments, e.g. on compressed columns
    re.IGNORECASE | re.DOTALL,
)
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def source_type(declared: str) -> SourceType:
    """Return the types for a type that MySQL or DuckDB declares, e.g. `int(10) unsigned`."""
    match = _DECLARED.fullmatch(declared)
    name = match["name"].lower() if match else ""
    if match and name == "decimal" and match["digits"]:
        return _decimal(declared, int(match["digits"]), int(match["scale"] or 0))
    if match and match["unsigned"] and f"{name} unsigned" in _SOURCE:
        name = f"{name} unsigned"
    if name == "bit" and match and match["digits"] == "1":
        name = "bit(1)"
    if name not in _SOURCE:
        raise UnsupportedType(f"Athena has no type for {declared}")
    return _SOURCE[name]


def presented_types(declared: Iterable[str]) -> tuple[pa.DataType, ...]:
    """Return the Arrow types in which DuckDB must return columns of the declared types."""
    return tuple(source_type(each).presented for each in declared)


def _decimal(declared: str, digits: int, scale: int) -> SourceType:
    if digits > MAX_DECIMAL_DIGITS:
        raise UnsupportedType(f"{declared} has more than {MAX_DECIMAL_DIGITS} digits")
    return SourceType(f"decimal({digits},{scale})", pa.decimal128(digits, scale))


def arrow_type(athena: str) -> pa.DataType:
    """Return the Arrow type for an Athena type, e.g. `decimal(10,2)`. Raises UnsupportedType."""
    if decimal := _DECIMAL.fullmatch(athena):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if athena not in _ARROW:
        raise UnsupportedType(f"{athena!r} isn't one of {', '.join(_ARROW)}, decimal(p,s)")
    return _ARROW[athena]


def athena_type(arrow: pa.DataType) -> str:
    """Return the Athena type for an Arrow type. Raises UnsupportedType if there is no exact one."""
    if pa.types.is_decimal128(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    if arrow not in _ATHENA:
        raise UnsupportedType(
            f"Athena has no type for Arrow's {arrow}: cast it to one of "
            f"{', '.join(map(str, _ARROW.values()))} or a decimal128"
        )
    return _ATHENA[arrow]


# https://docs.aws.amazon.com/athena/latest/ug/data-types.html has neither unsigned integers nor
# times of day, and Athena returns wrong values for nanosecond timestamps.
Predicate = Callable[[pa.DataType], bool]

_SAFE: tuple[tuple[Predicate, pa.DataType], ...] = (
    (t.is_uint8, pa.int16()),
    (t.is_uint16, pa.int32()),
    (t.is_uint32, pa.int64()),
    (t.is_uint64, pa.decimal128(20, 0)),
    (t.is_float16, pa.float32()),
    (t.is_date64, pa.date32()),
    (t.is_timestamp, pa.timestamp("us")),
    (t.is_large_string, pa.string()),
    (t.is_string_view, pa.string()),
    (t.is_large_binary, pa.binary()),
    (t.is_binary_view, pa.binary()),
    (t.is_fixed_size_binary, pa.binary()),
)
_REFUSED: tuple[tuple[Predicate, str], ...] = (
    (t.is_null, "its type is unknown, because it has no values: cast it to a type"),
    (t.is_time, "Athena has no time of day: cast it to text, or to a number of seconds"),
    (t.is_duration, "Athena has no duration: convert it to a number, with the unit in the name"),
    (t.is_interval, "Athena has no interval: convert it to a number, with the unit in the name"),
    (t.is_nested, "the lake's tables are flat: use a separate column for each part"),
)


def athena_safe(schema: pa.Schema) -> pa.Schema:
    """Return the schema in types that Athena supports and that can store all values exactly.

    Timestamps are in microseconds, those with a time zone in UTC. Every column is nullable, because
    the audit, not the writer, reports forbidden NULLs. Raises ColumnRefused.
    """
    seen: dict[str, str] = {}
    for name in schema.names:
        other = seen.setdefault(name.lower(), name)
        if schema.names.count(name) > 1 or other != name:
            raise ColumnRefused(
                f"columns {other!r} and {name!r}: Athena ignores case, so rename one of them."
            )
    return pa.schema([pa.field(field.name, _safe(field.name, field.type)) for field in schema])


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Cast a batch to the schema that `athena_safe` returned, without changing values.

    Raises ColumnRefused for a value that the new type can't store exactly.
    """
    return pa.record_batch([_cast(batch.column(f.name), f) for f in schema], schema=schema)


def _safe(name: str, kind: pa.DataType) -> pa.DataType:
    if t.is_dictionary(kind):
        return _safe(name, kind.value_type)
    if t.is_decimal(kind):
        return _safe_decimal(name, kind)
    for is_kind, safe in _SAFE:
        if is_kind(kind):
            return safe
    try:
        athena_type(kind)
    except UnsupportedType as error:
        reason = next((why for is_kind, why in _REFUSED if is_kind(kind)), str(error))
        raise ColumnRefused(f"column {name!r} is {kind}: {reason}.") from error
    return kind


def _safe_decimal(name: str, kind: Any) -> pa.DataType:
    if not 0 <= kind.scale <= kind.precision <= MAX_DECIMAL_DIGITS:
        raise ColumnRefused(
            f"column {name!r} is {kind}: Athena's decimals have up to {MAX_DECIMAL_DIGITS} digits, "
            "and their scale is between 0 and the number of digits."
        )
    return pa.decimal128(kind.precision, kind.scale)


def _cast(column: "pa.Array[Any]", field: "pa.Field[Any]") -> "pa.Array[Any]":
    try:
        return column if column.type == field.type else column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise ColumnRefused(
            f"column {field.name!r}, {column.type} but stored as {field.type}: {error}"
        ) from error
