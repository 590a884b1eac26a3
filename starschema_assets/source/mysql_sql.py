"""SQL for a MySQL or MariaDB server."""

import re
from collections.abc import Collection, Sequence

from starschema_assets.source.database import (
    COLUMN_BYTES,
    MAX_SPELLED_VALUES,
    ROWS_BYTES,
    SourceColumn,
    SourceTable,
)

COLUMNS = """
SELECT table_name, column_name, CAST(column_type AS CHAR), is_nullable = 'YES'
FROM information_schema.columns
WHERE table_schema = DATABASE()
ORDER BY table_name, ordinal_position
"""
KEYS = """
SELECT table_name, column_name
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND index_name = 'PRIMARY'
ORDER BY table_name, seq_in_index
"""
# If no key is declared, column_key shows the unique index without NULLs that serves as the key
DESCRIBED = """
SELECT table_name, LOWER(table_type), IF(table_type = 'VIEW', '', table_comment), column_name,
    column_comment, column_key = 'PRI'
FROM information_schema.tables JOIN information_schema.columns USING (table_schema, table_name)
WHERE table_schema = DATABASE()
ORDER BY table_name, ordinal_position
"""
NAMES_THAT_DIFFER_IN_CASE = """
SELECT COUNT(*) - COUNT(DISTINCT LOWER(table_name))
FROM information_schema.tables
WHERE table_schema = DATABASE()
"""
SNAPSHOT_ID = "SELECT CAST(@starschema_snapshot AS CHAR)"
SHORT_LENGTH = 64
"""Columns of up to this many characters count with their maximum length. Measuring the length of a
million texts costs the server a quarter of a second."""
MAX_CHARACTER_BYTES = 4
_GEOMETRY = re.compile(r"geom|(multi)?(point|linestring|polygon)")
_SHORT = re.compile(r"(?:var)?(?:char|binary)\((\d+)\)")


def quoted(name: str) -> str:
    """Return an identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def example(table: str, column: str, declared: str) -> str:
    """Return SQL for one value of a column of any type that isn't NULL, as text."""
    name = quoted(column)
    value = f"CONCAT('0x', HEX({name}))"
    if declared.startswith("decimal"):
        value = f"CAST({name} AS CHAR)"
    elif _GEOMETRY.match(declared):
        value = f"ST_AsText({name})"
    return f"SELECT {value} FROM {quoted(table)} WHERE {name} IS NOT NULL LIMIT 1"


def census(table: SourceTable, dated: Collection[str], counted: int | None) -> str:
    """Return SQL for row count, bytes of the widest row, and invalid dates per dated column.

    It doesn't read the table if the rows are `counted` and no column has to be looked at.
    """
    rows = "COUNT(*)" if counted is None else str(counted)
    fixed, *measured = _row_bytes(table)
    widest = f"COALESCE(MAX({' + '.join([fixed, *measured])}), 0)" if measured else fixed
    invalid = [f"COUNT(IF({_zero_date(column)}, 1, NULL))" for column in map(quoted, dated)]
    source = f" FROM {quoted(table.name)}" if counted is None or measured or invalid else ""
    return f"SELECT {', '.join([rows, widest, *invalid])}{source}"


def zero_date(table: SourceTable, column: str) -> str:
    """Return SQL for the smallest invalid date of a column, as text."""
    name = quoted(column)
    return f"SELECT MIN(CAST({name} AS CHAR)) FROM {quoted(table.name)} WHERE {_zero_date(name)}"


def spellings(table: SourceTable, columns: Sequence[str]) -> str:
    """Return SQL for values that are equal only in the collation.

    Its columns are the index of the column, group, spelling and row count.
    """
    queries = [
        f"""
        SELECT c, value, CONVERT(spelling USING utf8mb4) AS spelling, found
        FROM (
            SELECT {index} AS c, spelling, found, DENSE_RANK() OVER (ORDER BY spelling) AS value
            FROM (
                SELECT spelling, found, COUNT(*) OVER (PARTITION BY spelling) AS spellings
                FROM (
                    SELECT MIN(TRIM({column})) AS spelling, COUNT(*) AS found
                    FROM {quoted(table.name)}
                    GROUP BY CAST(TRIM({column}) AS BINARY)
                ) AS exact
            ) AS equated
            WHERE spellings > 1
        ) AS ranked
        WHERE value <= {MAX_SPELLED_VALUES}
        """
        for index, column in enumerate(map(quoted, columns))
    ]
    union = " UNION ALL ".join(queries)
    return f"SELECT * FROM ({union}) AS u ORDER BY c, value, found DESC, CAST(spelling AS BINARY)"


def rows_of_slices(table: SourceTable) -> str:
    """Return SQL for the row count of each slice, in key order. A slice has up to ROWS_BYTES."""
    key = ", ".join(f"whole.{quoted(column)}" for column in table.key)  # a column may be "slice"
    row_bytes = " + ".join(_row_bytes(table))
    return f"""
    SELECT COUNT(*) FROM (
        SELECT FLOOR(
            SUM({row_bytes}) OVER (ORDER BY {key} ROWS UNBOUNDED PRECEDING) / {ROWS_BYTES}
        ) AS slice
        FROM {quoted(table.name)} AS whole
    ) AS slices
    GROUP BY slice ORDER BY slice
    """


def rows(table: SourceTable, nulled: Collection[str], limit: int, offset: int) -> str:
    """Return SQL for a slice in key order: decimals as text, invalid `nulled` dates as NULL."""
    # Columns are numbered: the server and DuckDB would change a name that starts with blanks
    columns = ", ".join(
        f"{_value(column, nulled)} AS c{index}" for index, column in enumerate(table.columns)
    )
    name = quoted(table.name)
    if not table.key:
        return f"SELECT {columns} FROM {name}"
    key = ", ".join(map(quoted, table.key))
    # The server also reads the rows that OFFSET skips, so the inner query reads only keys
    keys = f"SELECT {key} FROM {name} ORDER BY {key} LIMIT {limit} OFFSET {offset}"
    return f"SELECT {columns} FROM {name} AS whole JOIN ({keys}) AS slice USING ({key})"


def _value(column: SourceColumn, nulled: Collection[str]) -> str:
    name = quoted(column.name)
    if column.name in nulled:
        return f"IF({_zero_date(name)}, NULL, {name})"
    # In query results, DuckDB drops one digit of decimals, and trailing zeros of times
    if column.type.startswith("decimal") or column.declared.startswith("time("):
        return f"CAST({name} AS CHAR)"
    return name


def _zero_date(column: str) -> str:
    """Return a condition for invalid dates: `0000-00-00`, `2025-00-15`, `2025-02-31`, year 0."""
    return (
        f"({column} IS NOT NULL AND NOT COALESCE(YEAR({column}) > 0"
        f" AND DAYOFMONTH({column}) BETWEEN 1 AND DAYOFMONTH(LAST_DAY({column})), FALSE))"
    )


def _row_bytes(table: SourceTable) -> list[str]:
    """Return the summands of a row's bytes: short columns by maximum, others by real length.

    The first is a number, for all columns whose length isn't measured.
    """
    fixed, measured = COLUMN_BYTES * len(table.columns), []
    for column in table.columns:
        short = _SHORT.fullmatch(column.declared)
        if short and int(short[1]) <= SHORT_LENGTH:
            fixed += MAX_CHARACTER_BYTES * int(short[1])
        elif column.type in {"string", "binary"}:
            measured.append(f"COALESCE(OCTET_LENGTH({quoted(column.name)}), 0)")
    return [str(fixed), *measured]
