"""Transpiles the star's SQL from DuckDB to Spark, so that each table needs only one query."""

from functools import cache

from sqlglot import exp, parse_one

from starschema_assets.model import DIALECT

SPACES = (
    "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
"""Characters that DuckDB trims: Unicode's space separators. By default Spark trims only U+0020."""


def view_of(schema: str, table: str) -> str:
    """Return the name of a table's temporary view. Such a name can't have a schema."""
    return f"{schema}__{table}"


@cache
def spark_sql(query: str) -> str:
    """Return a DuckDB query in Spark's dialect, with the temporary views of its tables.

    sqlglot handles most differences, e.g. that DuckDB sorts NULLs last. `lower` still differs for
    characters that were added after Unicode 13, the version of Java 17.
    """
    return parse_one(query, dialect=DIALECT).transform(_as_spark).sql("spark")


def _as_spark(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Table) and node.db:
        view = exp.to_table(view_of(node.db, node.name))
        return exp.alias_(view, node.alias or node.name, table=True)
    if isinstance(node, exp.Trim) and not node.expression:
        node.set("expression", exp.Literal.string(SPACES))
        node.set("position", node.args.get("position") or "BOTH")
    if isinstance(node, exp.Lower):
        # Java lower-cases İ to two characters, and Σ to another letter at the end of a word.
        plain = exp.func("translate", node.this, *map(exp.Literal.string, ("İΣ", "iσ")))
        node.set("this", plain)
    return node
