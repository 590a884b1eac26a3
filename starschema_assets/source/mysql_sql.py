"""The SQL that a MySQL or MariaDB server is asked."""

from collections.abc import Collection

from starschema_assets.source.database import (
    COLUMN_BYTES,
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
NAMES_THAT_DIFFER_IN_CASE = """
SELECT COUNT(*) - COUNT(DISTINCT LOWER(table_name))
FROM information_schema.tables
WHERE table_schema = DATABASE()
"""
SNAPSHOT_ID = "SELECT CAST(@starschema_snapshot AS CHAR)"


def quoted(name: str) -> str:
    """An identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def example(table: str, column: str) -> str:
    """One value of a column that isn't NULL."""
    name = quoted(column)
    return f"SELECT {name} FROM {quoted(table)} WHERE {name} IS NOT NULL LIMIT 1"


def census(table: SourceTable, dated: Collection[str]) -> str:
    """Rows, widest row, and for each dated column the number of zero dates and one of them."""
    figures = ["COUNT(*)", f"COALESCE(MAX({_row_bytes(table)}), 0)"]
    for column in map(quoted, dated):
        figures.append(f"COUNT(IF({_zero_date(column)}, 1, NULL))")
        figures.append(f"MIN(IF({_zero_date(column)}, CAST({column} AS CHAR), NULL))")
    return f"SELECT {', '.join(figures)} FROM {quoted(table.name)}"


def rows_of_slices(table: SourceTable) -> str:
    """For each slice of the table in the order of its key, the rows that fill the memory."""
    key = ", ".join(map(quoted, table.key))
    return f"""
    SELECT COUNT(*) FROM (
        SELECT FLOOR(
            SUM({_row_bytes(table)}) OVER (ORDER BY {key} ROWS UNBOUNDED PRECEDING) / {ROWS_BYTES}
        ) AS slice
        FROM {quoted(table.name)}
    ) AS slices
    GROUP BY slice ORDER BY slice
    """


def rows(table: SourceTable, nulled: Collection[str], limit: int, offset: int) -> str:
    """A slice of the table in the order of its key; decimals as text, `nulled` dates as NULL."""
    columns = ", ".join(
        f"{_value(column, nulled)} AS {quoted(column.name)}" for column in table.columns
    )
    name = quoted(table.name)
    if not table.key:
        return f"SELECT {columns} FROM {name}"
    key = ", ".join(map(quoted, table.key))
    # The rows that OFFSET passes over are read, too: of these only the keys
    keys = f"SELECT {key} FROM {name} ORDER BY {key} LIMIT {limit} OFFSET {offset}"
    return f"SELECT {columns} FROM {name} JOIN ({keys}) AS slice USING ({key})"


def _value(column: SourceColumn, nulled: Collection[str]) -> str:
    name = quoted(column.name)
    if column.name in nulled:
        return f"IF({_zero_date(name)}, NULL, {name})"
    # As the result of a query, decimals have one digit less in DuckDB, and times lose zeros
    if column.type.startswith("decimal") or column.declared.startswith("time("):
        return f"CAST({name} AS CHAR)"
    return name


def _zero_date(column: str) -> str:
    """Whether a date is none: `0000-00-00`, `2025-00-15`, `2025-02-31`, or in the year 0."""
    return (
        f"(YEAR({column}) = 0 OR MONTH({column}) = 0 OR DAYOFMONTH({column}) = 0"
        f" OR COALESCE(DAYOFMONTH({column}) > DAYOFMONTH(LAST_DAY({column})),"
        f" {column} IS NOT NULL))"
    )


def _row_bytes(table: SourceTable) -> str:
    lengths = [
        f"COALESCE(OCTET_LENGTH({quoted(column.name)}), 0)"
        for column in table.columns
        if column.type in {"string", "binary"}
    ]
    return " + ".join([str(COLUMN_BYTES * len(table.columns)), *lengths])
