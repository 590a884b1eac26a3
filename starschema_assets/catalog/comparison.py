"""Compares a table's description in the catalog with its contract and its file."""

from collections.abc import Iterator, Mapping

from starschema_assets.catalog.catalog import CatalogTable

Columns = Mapping[str, str]
"""Athena type by column name, in column order."""


def differences(
    name: str, table: CatalogTable | None, file: Columns, contract: Columns | None, folder: str
) -> Iterator[str]:
    """Yield a message for each difference between a catalog table and the table at `folder`.

    With any of them, Athena queries may fail, or return wrong data. As in Athena, names are
    compared ignoring case.
    """
    if table is None:
        yield f"{name} is not in the catalog"
        return
    if table.location.rstrip("/") != folder.rstrip("/"):
        yield f"{name} is at {table.location} in the catalog and at {folder} in the lake"
    if table.format != "parquet":
        yield f"{name} is read as {table.format}, but its file is parquet"
    if table.partition_keys:
        keys = ", ".join(column for column, _ in table.partition_keys)
        yield f"{name} is partitioned by {keys} in the catalog, but is one file in the lake"
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
        yield f"{name} has another column order in the catalog than in the {source}"
