"""Tests for the table of types."""

import re

import pyarrow as pa
import pytest

from starschema_assets.types import UnsupportedType, arrow_type, athena_type, source_type

ATHENA = [
    *("boolean", "tinyint", "smallint", "int", "bigint", "float", "double"),
    *("decimal(10,2)", "decimal(38,0)", "date", "timestamp", "string", "binary"),
]


@pytest.mark.parametrize("athena", ATHENA)
def test_arrow_and_back_is_the_same_type(athena: str) -> None:
    assert athena_type(arrow_type(athena)) == athena


@pytest.mark.parametrize(
    ("declared", "athena"),
    [
        ("INT(10) UNSIGNED", "bigint"),
        ("int unsigned", "bigint"),
        ("DECIMAL(10, 2)", "decimal(10,2)"),
        ("decimal(5)", "decimal(5,0)"),
        ("mediumint(8) unsigned zerofill", "int"),
        ("double unsigned", "double"),
        ("blob /*M!100301 COMPRESSED*/", "binary"),
        ("enum('a)','unsigned','it''s')", "string"),
        ("bit(1)", "boolean"),
        ("bit(64)", "binary"),
        ("USMALLINT", "int"),
    ],
)
def test_a_declared_type_is_read_in_any_spelling(declared: str, athena: str) -> None:
    assert source_type(declared).athena == athena


@pytest.mark.parametrize(
    "declared",
    [
        *("geometry", "point", "vector(3)", "decimal(39,0)", "decimal(65,30)", "decimal"),
        *("HUGEINT", "TIMESTAMP WITH TIME ZONE", "INTEGER[]", "STRUCT(a INTEGER)", ""),
    ],
)
def test_a_declared_type_that_cannot_be_held_is_refused_by_name(declared: str) -> None:
    name = re.escape(declared)
    message = rf"^(Athena has no type for {name}|{name} has more than 38 digits)$"
    with pytest.raises(UnsupportedType, match=message):
        source_type(declared)


@pytest.mark.parametrize(
    "arrow",
    [
        *(pa.uint8(), pa.uint64(), pa.float16(), pa.null(), pa.date64(), pa.time64("us")),
        *(pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.decimal256(40, 2), pa.list_(pa.int8())),
    ],
)
def test_an_arrow_type_that_athena_cannot_hold_is_refused_by_name(arrow: pa.DataType) -> None:
    with pytest.raises(UnsupportedType) as refused:
        athena_type(arrow)
    assert f"Arrow's {arrow}:" in str(refused.value)


@pytest.mark.parametrize("athena", ["varchar", "INT", "decimal", "decimal(10, 2)", ""])
def test_a_name_that_is_not_athenas_is_refused(athena: str) -> None:
    with pytest.raises(UnsupportedType, match="isn't one of boolean, tinyint"):
        arrow_type(athena)
