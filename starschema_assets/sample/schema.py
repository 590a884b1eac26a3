"""The statements of schema.sql, as MySQL and as DuckDB take them."""

from pathlib import Path

import sqlglot
from sqlglot import exp

SCHEMA = Path(__file__).with_name("schema.sql")


def mysql_tables() -> dict[str, str]:
    """The CREATE TABLEs, by table."""
    return {_table(s): s.sql("mysql", comments=False) for s in _creations()}


def mysql_foreign_keys() -> list[str]:
    """The ALTER TABLEs that add foreign keys, and thereby the secondary indexes."""
    return [s.sql("mysql", comments=False) for s in _statements() if isinstance(s, exp.Alter)]


def duckdb_tables(*, keys: bool) -> list[str]:
    """The CREATE TABLEs, with or without primary keys.

    Foreign keys are left out: a product code that MySQL's collation finds is another text to
    DuckDB when its letters differ in case.
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
