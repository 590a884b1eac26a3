"""What the Dagster UI tells of a table before and after it was made."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import (
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableMetadataValue,
    TableRecord,
    TableSchema,
)

from starschema_assets.contract import Column, Contract

OWNERS = ["team:data-engineering"]

Types = Mapping[str, str]
"""The type of each column of a table, in their order."""

Origins = Mapping[str, Sequence[tuple[str, str]]]
"""For columns of a star table, the raw tables and columns from which each is computed."""


def promised_types(contract: Contract) -> Types:
    """The columns that the contract promises."""
    return {column.name: column.type for column in contract.columns}


def column_schema(contract: Contract, types: Types, origins: Origins) -> TableSchema:
    """The columns with their types, descriptions and origins.

    A column that the contract doesn't know has a type only.
    """
    known = {column.name: column for column in contract.columns}
    return TableSchema(
        columns=[
            TableColumn(
                name,
                type_,
                description=_description(known[name], origins.get(name, ())),
                constraints=_constraints(contract, known[name]),
                tags={"personal": ""} if known[name].personal else {},
            )
            if name in known
            else TableColumn(name, type_)
            for name, type_ in types.items()
        ],
        constraints=TableConstraints([contract.grain]),
    )


def _description(column: Column, origins: Sequence[tuple[str, str]]) -> str:
    # The UI draws column lineage in Dagster+ only; here everyone reads it.
    computed_from = ", ".join(f"`raw.{table}.{name}`" for table, name in origins)
    return " ".join(
        [column.description]
        + ([f"In {column.unit}."] if column.unit else [])
        + ([f"From {computed_from}."] if computed_from else [])
    )


def _constraints(contract: Contract, column: Column) -> TableColumnConstraints:
    return TableColumnConstraints(
        nullable=column.nullable,
        other=["key"] * (column.name in contract.key)
        + [f"→ {key.references}" for key in contract.foreign_keys if column.name in key.columns],
    )


def definition_metadata(
    contract: Contract, uri: str, origins: Origins | None = None
) -> dict[str, Any]:
    """What is known of a table before its first run."""
    return {
        "dagster/column_schema": column_schema(contract, promised_types(contract), origins or {}),
        "dagster/table_name": f"{contract.stage}.{contract.table}",
        "dagster/uri": uri,
    }


def file_metadata(contract: Contract | None, types: Types) -> dict[str, Any]:
    """The columns of a file, unless they are those that the definition shows already.

    Where the UI has both it shows every name in lower case.
    """
    if contract is None:
        columns = [TableColumn(name, type_) for name, type_ in types.items()]
        return {"dagster/column_schema": TableSchema(columns)}
    if list(types.items()) != list(promised_types(contract).items()):
        return {"dagster/column_schema": column_schema(contract, types, {})}
    return {}


def catalog_tags(contract: Contract) -> dict[str, str]:
    """What tables are searched by in the UI's catalog, e.g. `tag:personal_data`."""
    return {"personal_data": ""} if any(column.personal for column in contract.columns) else {}


def shown(rows: Sequence[Mapping[str, object]]) -> TableMetadataValue:
    """Rows, at least one, as the UI shows them without a click."""
    return MetadataValue.table(
        [TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows]
    )


def _cell(value: object) -> str | int:
    if isinstance(value, int):
        return value
    return "NULL" if value is None else str(value)
