"""The star's SQL for Spark: transpiled, so that each table is written once."""

from functools import cache

from sqlglot import exp, parse_one

from starschema_assets.model import DIALECT

SPACES = (
    "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
"""What DuckDB trims: Unicode's space separators. Spark trims U+0020 alone unless told otherwise."""


def view_of(schema: str, table: str) -> str:
    """The temporary view that stands for a table: its name can't have a schema."""
    return f"{schema}__{table}"


@cache
def spark_sql(query: str) -> str:
    """A query of DuckDB's in Spark's dialect, over the views of its tables.

    What sqlglot knows is left to it, e.g. that DuckDB sorts NULLs last. `lower` differs for what
    Unicode added after version 13, the one of Java 17.
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
        # Java has İ become two letters, and Σ another one at a word's end than within.
        plain = exp.func("translate", node.this, *map(exp.Literal.string, ("İΣ", "iσ")))
        node.set("this", plain)
    return node
