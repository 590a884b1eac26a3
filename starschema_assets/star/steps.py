"""The steps of a star table: the engine's own tables, which the slices of the table read again."""

import duckdb

from starschema_assets.engine import quoted

MAX_TEXTS = 4096
"""The most texts of an enumeration: all of them go with each batch of rows."""


def make_step(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """Compute the step, unless another table has already needed it.

    Texts that few rows share become an enumeration, in the order that texts have: from here to the
    file they are then sorted, moved and encoded as numbers, in half the time.
    """
    step = f"star.{quoted(name)}"
    connection.execute(f"create table if not exists {step} as {sql}")
    columns = connection.execute(f"describe {step}").fetchall()
    for column in (quoted(name) for name, type_, *_ in columns if type_ == "VARCHAR"):
        texts = f"select distinct {column} from {step} where {column} is not null"
        ((count,),) = connection.execute(f"select count(*) from ({texts})").fetchall()
        if 0 < count <= MAX_TEXTS:
            type_ = f"star.{quoted(f'{name} {column}')}"
            connection.execute(f"create type {type_} as enum ({texts} order by all)")
            connection.execute(f"alter table {step} alter {column} type {type_}")
