"""Raw tables for tests. A test gives only the columns it needs; contracts define the others."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import duckdb

from starschema_assets.contract import Contract
from starschema_assets.raw.contracts import CONTRACTS

DEFAULTS: Mapping[str, object] = {
    "int": 1,
    "smallint": 1,
    "string": "x",
    "date": date(2024, 2, 29),
    "decimal(10,2)": Decimal("1.00"),
    "binary": b"",
}


class RawTables:
    """The eight raw tables in a DuckDB connection, initially empty."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("create schema raw; create schema star")
        self.contracts = {contract.table: contract for contract in CONTRACTS}
        for contract in CONTRACTS:
            self.connection.execute(f"create table raw.{contract.table} ({_columns(contract)})")

    def add(self, table: str, *rows: Mapping[str, object]) -> None:
        """Add rows. Missing columns get a default, or NULL if they are nullable."""
        columns = self.contracts[table].columns
        for row in rows:
            assert row.keys() <= {column.name for column in columns}
            values = [
                row.get(column.name, None if column.nullable else DEFAULTS[column.type])
                for column in columns
            ]
            places = ", ".join("?" * len(values))
            self.connection.execute(f"insert into raw.{table} values ({places})", values)


def _columns(contract: Contract) -> str:
    return ", ".join(f'"{column.name}" {column.type}' for column in contract.columns)
