"""Conversion to types that Athena supports, without changes of values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from starschema_assets.types import ColumnRefused, athena_safe, conform


def converted(values: list[Any], kind: pa.DataType) -> "pa.Array[Any]":
    batch = pa.record_batch({"c": pa.array(values, kind)})
    return conform(batch, athena_safe(batch.schema))["c"]


@pytest.mark.parametrize(
    ("kind", "safe", "values"),
    [
        (pa.uint8(), pa.int16(), [255, None]),
        (pa.uint16(), pa.int32(), [65535]),
        (pa.uint32(), pa.int64(), [2**32 - 1]),
        (pa.uint64(), pa.decimal128(20, 0), [2**64 - 1, 0]),
        (pa.large_string(), pa.string(), ["é", None]),
        (pa.string_view(), pa.string(), ["é", None]),
        (pa.large_binary(), pa.binary(), [b"\x00\xff"]),
        (pa.binary(2), pa.binary(), [b"\x00\xff"]),
        (pa.dictionary(pa.int8(), pa.large_string()), pa.string(), ["a", "b", "a", None]),
        (pa.timestamp("ms"), pa.timestamp("us"), [datetime(2025, 1, 2, 3, 4, 5, 6000)]),  # noqa: DTZ001
        (pa.timestamp("s"), pa.timestamp("us"), [datetime(1000, 1, 1), datetime(9999, 12, 31)]),  # noqa: DTZ001
        (pa.date64(), pa.date32(), [date(1969, 12, 31)]),
        (pa.float16(), pa.float32(), [0.5]),
        (pa.decimal256(38, 2), pa.decimal128(38, 2), [Decimal("9" * 36 + ".99")]),
    ],
    ids=str,
)
def test_a_type_that_athena_lacks_becomes_one_that_holds_each_value(
    kind: pa.DataType, safe: pa.DataType, values: list[Any]
) -> None:
    column = converted(values, kind)
    assert column.type == safe
    assert column.to_pylist() == values


def test_a_time_with_a_zone_is_stored_in_utc() -> None:
    noon = datetime(2025, 7, 1, 12, tzinfo=UTC)
    column = converted([noon], pa.timestamp("ns", "Europe/Paris"))
    assert column.type == pa.timestamp("us")
    assert column.to_pylist() == [noon.replace(tzinfo=None)]


def test_a_nanosecond_that_would_be_lost_is_refused_with_its_column_and_value() -> None:
    with pytest.raises(ColumnRefused, match=r"'c'.*would lose data: 1$"):
        converted([1], pa.timestamp("ns"))


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (pa.null(), "cast it to a type"),
        (pa.time64("us"), "cast it to text"),
        (pa.duration("s"), "convert it to a number"),
        (pa.list_(pa.int32()), "a separate column"),
        (pa.struct([("a", pa.int32())]), "a separate column"),
        (pa.decimal256(39, 2), "up to 38 digits"),
        (pa.decimal128(5, -2), "scale is between 0"),
    ],
    ids=str,
)
def test_a_type_that_athena_cannot_hold_is_refused_with_advice(
    kind: pa.DataType, advice: str
) -> None:
    with pytest.raises(ColumnRefused, match=rf"'c'.*{advice}"):
        athena_safe(pa.schema({"c": kind}))


def test_names_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(ColumnRefused, match="'MSRP' and 'msrp'"):
        athena_safe(pa.schema({"MSRP": pa.int8(), "msrp": pa.int8()}))


def test_columns_may_be_null_so_that_the_audit_finds_them() -> None:
    schema = athena_safe(pa.schema([pa.field("n", pa.int32(), nullable=False)]))
    assert schema.field("n").nullable
