"""What a catalog says of a table, against its contract and its file."""

from collections.abc import Iterator, Mapping

from starschema_assets.catalog.catalog import CatalogTable

Columns = Mapping[str, str]
"""Athena's type of each column, in order."""


def differences(
    name: str, table: CatalogTable | None, file: Columns, contract: Columns | None, folder: str
) -> Iterator[str]:
    """Everything in which a table of the catalog is not the table at `folder`.

    Athena would fail, show NULLs or hide columns for each of them. Names are compared as Athena
    does, ignoring case.
    """
    if table is None:
        yield f"{name} is not in the catalog"
        return
    if table.location.rstrip("/") != folder.rstrip("/"):
        yield f"{name} is at {table.location} in the catalog and at {folder} in the lake"
    if table.format != "parquet":
        yield f"{name} is read as {table.format}, its file is parquet"
    if table.partition_keys:
        keys = ", ".join(column for column, _ in table.partition_keys)
        yield f"{name} is partitioned by {keys} in the catalog; in the lake it is one file"
    for source, columns in (("file", file), ("contract", contract)):
        if columns is not None:
            yield from _columns(name, dict(table.columns), columns, source)


def _columns(name: str, catalog: Columns, columns: Columns, source: str) -> Iterator[str]:
    catalog = {column.lower(): type_ for column, type_ in catalog.items()}
    columns = {column.lower(): type_ for column, type_ in columns.items()}
    for column in [*columns, *(column for column in catalog if column not in columns)]:
        theirs, ours = catalog.get(column, "missing"), columns.get(column, "missing")
        if theirs != ours:
            yield f"{name}.{column} is {theirs} in the catalog and {ours} in the {source}"
    if catalog.keys() == columns.keys() and list(catalog) != list(columns):
        yield f"{name} has its columns in another order in the catalog than in the {source}"
