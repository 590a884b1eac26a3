"""Returns the contents of a sample database, for comparisons.

`python contents.py FILE SCALE SEED THREADS` generates a database and prints a digest per table.
"""

import functools
import json
import sys
from pathlib import Path

import duckdb

TABLES = (
    "customers",
    "employees",
    "offices",
    "orderdetails",
    "orders",
    "payments",
    "productlines",
    "products",
)


def rows(database: Path, table: str) -> list[tuple[object, ...]]:
    """Return all rows in an order that doesn't depend on their storage."""
    with duckdb.connect(database, read_only=True) as connection:
        return sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)


def digests(database: Path) -> dict[str, str]:
    """Return a digest of each table's ordered rows."""
    with duckdb.connect(database, read_only=True) as connection:
        return {
            table: connection.execute(
                f"SELECT md5(string_agg(md5(row), '' ORDER BY row)) "
                f"FROM (SELECT {table}::VARCHAR AS row FROM {table})"
            ).fetchall()[0][0]
            for table in TABLES
        }


if __name__ == "__main__":
    file, scale, seed, threads = sys.argv[1:]
    duckdb.connect = functools.partial(duckdb.connect, config={"threads": int(threads)})

    from starschema_assets.sample.generate import generate

    generate(Path(file), int(scale), int(seed), keys=False)
    json.dump(digests(Path(file)), sys.stdout)
