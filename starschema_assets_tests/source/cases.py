"""All supported types of MySQL and MariaDB, with their extreme values."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any


def at(moment: str) -> datetime:
    """Return a datetime without a time zone, like Arrow's timestamps in the lake."""
    return datetime.fromisoformat(moment)


Case = tuple[str, str, str, str, Any, Any]
CASES: list[Case] = [
    # declared, Athena's type, low and high as SQL, low and high as Python
    ("tinyint", "tinyint", "-128", "127", -128, 127),
    ("tinyint(1)", "tinyint", "-128", "127", -128, 127),
    ("tinyint unsigned", "smallint", "0", "255", 0, 255),
    ("smallint", "smallint", "-32768", "32767", -32768, 32767),
    ("smallint unsigned", "int", "0", "65535", 0, 65535),
    ("mediumint", "int", "-8388608", "8388607", -8388608, 8388607),
    ("mediumint unsigned", "int", "0", "16777215", 0, 16777215),
    ("int", "int", "-2147483648", "2147483647", -(2**31), 2**31 - 1),
    ("int unsigned", "bigint", "0", "4294967295", 0, 2**32 - 1),
    ("int(5) unsigned zerofill", "bigint", "42", "4294967295", 42, 2**32 - 1),
    ("bigint", "bigint", "-9223372036854775808", "9223372036854775807", -(2**63), 2**63 - 1),
    ("bigint unsigned", "decimal(20,0)", "0", f"{2**64 - 1}", Decimal(0), Decimal(2**64 - 1)),
    ("decimal(5,0)", "decimal(5,0)", "-99999", "99999", Decimal(-99999), Decimal(99999)),
    (
        "decimal(10,2)",
        "decimal(10,2)",
        "-0.01",
        "99999999.99",
        Decimal("-0.01"),
        Decimal("99999999.99"),
    ),
    (
        "decimal(7,3) unsigned zerofill",
        "decimal(7,3)",
        "0",
        "1234.5",
        Decimal(0),
        Decimal("1234.5"),
    ),
    (
        "decimal(38,10)",
        "decimal(38,10)",
        f"-{'9' * 28}.{'9' * 10}",
        f"{'9' * 28}.{'9' * 10}",
        Decimal(f"-{'9' * 28}.{'9' * 10}"),
        Decimal(f"{'9' * 28}.{'9' * 10}"),
    ),
    ("float", "float", "-3.4028234e38", "16777215", -3.4028234663852886e38, 16777215.0),
    ("double", "double", "-1.7976931348623157e308", "0.1", -1.7976931348623157e308, 0.1),
    ("bit(1)", "boolean", "b'0'", "b'1'", False, True),
    ("bit(9)", "binary", "b'1'", "b'101010101'", b"\x00\x01", b"\x01\x55"),
    ("date", "date", "'0001-01-01'", "'9999-12-31'", date(1, 1, 1), date(9999, 12, 31)),
    (
        "datetime",
        "timestamp",
        "'1000-01-01'",
        "'9999-12-31 23:59:59'",
        at("1000-01-01 00:00:00"),
        at("9999-12-31 23:59:59"),
    ),
    (
        "datetime(6)",
        "timestamp",
        "'1969-12-31 23:59:59.999999'",
        "'9999-12-31 23:59:59.999999'",
        at("1969-12-31 23:59:59.999999"),
        at("9999-12-31 23:59:59.999999"),
    ),
    # the server's zone is UTC+05:30
    (
        "timestamp(6) null",
        "timestamp",
        "'1970-01-01 05:30:01'",
        "'2038-01-19 08:44:07.999999'",
        at("1970-01-01 00:00:01"),
        at("2038-01-19 03:14:07.999999"),
    ),
    ("time(1)", "string", "'-838:59:58.5'", "'01:02:03'", "-838:59:58.5", "01:02:03.0"),
    ("year", "int", "1901", "2155", 1901, 2155),
    ("char(5)", "string", "'ab   '", "' é'", "ab", " é"),
    ("varchar(9)", "string", "''", "'é  '", "", "é  "),
    ("tinytext", "string", "'a\\'\"\\\\'", "'b\\n'", "a'\"\\", "b\n"),
    ("text charset utf8mb3", "string", "'日本'", "''", "日本", ""),
    ("mediumtext charset utf8mb4", "string", "'👍🏽'", "'a'", "👍🏽", "a"),
    ("longtext charset utf8mb4 collate utf8mb4_bin", "string", "'x😀'", "'a'", "x😀", "a"),
    ("varchar(9) charset ucs2", "string", "'日ñ'", "'a'", "日ñ", "a"),
    ("varchar(9) charset utf8mb4 collate utf8mb4_bin", "string", "'😀'", "'a'", "😀", "a"),
    ("enum('é', 'b (c)')", "string", "'é'", "'b (c)'", "é", "b (c)"),
    ("set('x', 'unsigned')", "string", "'x,unsigned'", "''", "x,unsigned", ""),
    ("json", "string", "'{\"é\": 1}'", "'null'", '{"é": 1}', "null"),
    ("binary(4)", "binary", "x'00ff'", "x'01020304'", b"\x00\xff\x00\x00", b"\x01\x02\x03\x04"),
    ("varbinary(4)", "binary", "x'00ff'", "''", b"\x00\xff", b""),
    ("tinyblob", "binary", "x'ff'", "''", b"\xff", b""),
    ("blob", "binary", "x'fe00'", "''", b"\xfe\x00", b""),
    ("mediumblob", "binary", "repeat(x'00', 700)", "''", b"\x00" * 700, b""),
    ("longblob", "binary", "x'27225c'", "''", b"'\"\\", b""),
]

CASES_OF: dict[str, list[Case]] = {
    "MariaDB": [
        (
            "decimal(38,38)",
            "decimal(38,38)",
            f"-0.{'9' * 38}",
            f"0.{'0' * 37}1",
            Decimal(f"-0.{'9' * 38}"),
            Decimal(f"0.{'0' * 37}1"),
        ),
        ("time(1)", "string", "'-838:59:59.5'", "'01:02:03'", "-838:59:59.5", "01:02:03.0"),
        (
            "uuid",
            "string",
            "'123e4567-e89b-12d3-a456-426655440000'",
            f"'{'f' * 8}-{'f' * 4}-{'f' * 4}-{'f' * 4}-{'f' * 12}'",
            "123e4567-e89b-12d3-a456-426655440000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ),
        ("inet4", "string", "'1.2.3.4'", "'0.0.0.0'", "1.2.3.4", "0.0.0.0"),
        ("inet6", "string", "'::1'", "'2001:db8::ff00:42:8329'", "::1", "2001:db8::ff00:42:8329"),
    ],
    "MySQL": [
        (
            "decimal(38,30)",
            "decimal(38,30)",
            f"-{'9' * 8}.{'9' * 30}",
            f"0.{'0' * 29}1",
            Decimal(f"-{'9' * 8}.{'9' * 30}"),
            Decimal(f"0.{'0' * 29}1"),
        ),
        ("time(1)", "string", "'-838:59:59'", "'838:59:59'", "-838:59:59.0", "838:59:59.0"),
        ("json", "string", '\'{"b":1,"a":[2]}\'', "'null'", '{"a": [2], "b": 1}', "null"),
        ("varchar(9) collate utf8mb4_0900_ai_ci", "string", "'É  '", "'👍🏽'", "É  ", "👍🏽"),
    ],
}
"""Types that only one of the servers has."""
