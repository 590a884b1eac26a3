"""Where a table is, relative to the lake."""

import re

from starschema_assets.lake.errors import LakeError

Table = tuple[str, ...]
"""A table's asset path, e.g. `("star", "sales")`."""

# A name that begins with an underscore is hidden from readers: the lake's own files go there.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def name_of(table: Table) -> str:
    """The asset path as it is written: `star/sales`."""
    return "/".join(table)


def file_of(table: Table, suffix: str = "parquet") -> str:
    """The table's one file, in a folder of its own: `star/sales/sales.parquet`."""
    if len(table) < 2 or not all(_PART.fullmatch(part) for part in table):  # noqa: PLR2004
        raise LakeError(
            f"{name_of(table)!r} can't be a table of the lake: give it a stage and a name, such as "
            "star/sales, of letters, digits, '_', '-' and '.', not beginning with '_'."
        )
    return f"{name_of(table)}/{table[-1]}.{suffix}"


def page_of(document: Table) -> str:
    """The file of a page for readers, which is no table's: `analytics/sales_report/….html`."""
    return file_of(document, "html")


def table_of(file: str) -> Table | None:
    """The table whose file this is, or None if it is no table's file."""
    *table, last = file.split("/")
    is_table = (
        len(table) > 1 and last == f"{table[-1]}.parquet" and all(map(_PART.fullmatch, table))
    )
    return tuple(table) if is_table else None
