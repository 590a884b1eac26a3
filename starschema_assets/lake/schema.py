"""Arrow schemas that Athena can read, and the casts that change no value on the way there."""

from __future__ import annotations  # pyarrow's classes are generic in their stubs alone

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import types as t

from starschema_assets.lake.errors import ColumnRefused
from starschema_assets.types import MAX_DECIMAL_DIGITS, UnsupportedType, athena_type

# https://docs.aws.amazon.com/athena/latest/ug/data-types.html has neither unsigned integers nor
# times of day, and Athena shows timestamps finer than a millisecond or microsecond as junk.
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
    (t.is_null, "it has no value to tell its type from: declare a type for it"),
    (t.is_time, "Athena has no time of day: make it text, or a number of seconds"),
    (t.is_duration, "Athena has no duration: make it a number, with its unit in the name"),
    (t.is_interval, "Athena has no interval: make it a number, with its unit in the name"),
    (t.is_nested, "the lake's tables are flat: give each part a column of its own"),
)


def athena_safe(schema: pa.Schema) -> pa.Schema:
    """The schema in types that Athena has, each holding every value of the column's own type.

    Timestamps are in microseconds, those with a time zone in UTC. Every column is nullable,
    because a NULL that a contract forbids is for the audit to find and show. Raises ColumnRefused.
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
    """The batch's columns in the order and types of the schema, with the same values.

    Raises ColumnRefused if a column is missing, is not in the schema, or has a value that its
    type there can't hold exactly.
    """
    if missing := set(schema.names) - set(batch.schema.names):
        raise ColumnRefused(
            f"columns {sorted(missing)} are declared but not there: add or undeclare them."
        )
    if extra := set(batch.schema.names) - set(schema.names):
        raise ColumnRefused(
            f"columns {sorted(extra)} are there but not declared: declare or drop them."
        )
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


def _cast(column: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
    if column.type == field.type:
        return column
    source = column.type.value_type if t.is_dictionary(column.type) else column.type
    if not _may_be_exact(source, field.type):
        raise ColumnRefused(
            f"column {field.name!r} is {source} but declared {field.type}, which may not hold its "
            "values exactly: convert it on purpose where the table is made, or declare its type."
        )
    try:
        return _exactly(column, field.type)
    except pa.ArrowInvalid as error:
        raise ColumnRefused(
            f"column {field.name!r}, {source} but declared {field.type}: {error}"
        ) from error


def _exactly(column: pa.Array[Any], target: Any) -> pa.Array[Any]:
    if t.is_integer(column.type) and t.is_decimal(target):
        # Arrow wants room for any integer of the type, not just for those that are there.
        column = column.cast(pa.decimal128(MAX_DECIMAL_DIGITS, target.scale))
    cast = column.cast(target)
    if t.is_timestamp(column.type) and t.is_date(target):
        # The one of these casts that Arrow calls safe although it cuts something off.
        times = column.filter(pc.not_equal(cast.cast(column.type), column))
        if len(times):
            message = f"{times[0]} has a time of day"
            raise pa.ArrowInvalid(message)
    return cast


# What Arrow's safe cast turns into what, keeping each value or raising; other casts round,
# truncate or parse.
_EXACT: tuple[tuple[Predicate, tuple[Predicate, ...]], ...] = (
    (t.is_integer, (t.is_integer, t.is_floating)),
    (t.is_decimal, (t.is_integer, t.is_decimal)),
    (t.is_float64, (t.is_integer, t.is_floating)),
    (t.is_float32, (t.is_integer, t.is_float32, t.is_float16)),
    (t.is_string, (t.is_string, t.is_large_string, t.is_string_view)),
    (
        t.is_binary,
        (t.is_binary, t.is_large_binary, t.is_binary_view, t.is_fixed_size_binary),
    ),
    (t.is_timestamp, (t.is_timestamp, t.is_date)),
    (t.is_date, (t.is_timestamp, t.is_date)),
)


def _may_be_exact(source: pa.DataType, target: pa.DataType) -> bool:
    if t.is_null(source):
        return True
    return any(
        is_target(target) and any(is_source(source) for is_source in sources)
        for is_target, sources in _EXACT
    )
