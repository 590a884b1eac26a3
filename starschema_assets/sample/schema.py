"""Returns the statements of schema.sql in the dialects of MySQL and DuckDB."""

from pathlib import Path

import sqlglot
from sqlglot import exp

SCHEMA = Path(__file__).with_name("schema.sql")


def mysql_tables() -> dict[str, str]:
    """Return the CREATE TABLE statements by table."""
    return {_table(s): s.sql("mysql", comments=False) for s in _creations()}


def mysql_foreign_keys() -> list[str]:
    """Return the ALTER TABLE statements that add foreign keys and so secondary indexes."""
    return [s.sql("mysql", comments=False) for s in _statements() if isinstance(s, exp.Alter)]


def duckdb_tables(*, keys: bool) -> list[str]:
    """Return the CREATE TABLE statements, with or without primary keys.

    Foreign keys are left out: some product codes differ from their reference in upper and lower
    case. MySQL's collation ignores that, and DuckDB doesn't.
    """
    tables = []
    for creation in _creations():
        creation.set("properties", None)
        if not keys:
            for key in list(creation.find_all(exp.PrimaryKey)):
                key.pop()
        tables.append(creation.sql("duckdb", comments=False))
    return tables


def _statements() -> list[exp.Expr]:
    parsed = sqlglot.parse(SCHEMA.read_text(encoding="utf-8"), read="mysql")
    return [statement for statement in parsed if statement is not None]


def _creations() -> list[exp.Create]:
    return [statement for statement in _statements() if isinstance(statement, exp.Create)]


def _table(creation: exp.Create) -> str:
    return str(creation.this.this.name)
