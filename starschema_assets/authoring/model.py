"""Generates the contract of a star table, `star/<table>.py`, from its SQL (`make model`).

DuckDB returns columns and types by running the SQL on empty raw tables. Nullability, key and
foreign keys are derived from the SQL and the raw contracts. The grain is left open. Without a table
argument, each SQL file without a contract gets one. For an existing contract, the difference is
printed; `--write` writes it.
"""

import argparse
import re
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from starschema_assets import command
from starschema_assets.authoring.derivation import Derivation
from starschema_assets.authoring.references import Derived, proposed_keys
from starschema_assets.authoring.source_code import (
    code_of,
    formatted,
    shown,
    take_over,
    with_constants,
)
from starschema_assets.contract import Column, Contract, ForeignKey
from starschema_assets.errors import did_you_mean
from starschema_assets.model import Model, ModelError
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.star.discovery import FOLDER, holds_contract, models_of, tables
from starschema_assets.star.verification import OPEN_GRAIN, EmptyTables


@dataclass(frozen=True)
class Star:
    """The SQL files of the star, with their existing contracts."""

    folder: Path
    raw: Sequence[Contract]

    def existing(self) -> dict[str, Contract]:
        """Return the existing contracts by table. Raises ModelError."""
        found = {}
        for table in tables(self.folder):
            file = self.folder / f"{table}.py"
            if file.exists() and not holds_contract(file):
                raise ModelError(
                    f"The name {table} is reserved: star/{table}.py is a module of the package. "
                    f"Rename star/{table}.sql."
                )
            if file.exists():
                found[table] = runpy.run_path(str(file))["CONTRACT"]
        return found

    def derived(self, contracts: Mapping[str, Contract]) -> dict[str, Derived]:
        """Return each table with the columns of its SQL, and the analysis of its SQL.

        Raises ModelError with the name of the file whose SQL is wrong.
        """
        models = models_of(contracts, self.raw, self.folder)
        histories = [model.contract for model in models if model.contract.dimension]
        found = {}
        with EmptyTables([*self.raw, *histories]) as empty:
            for model in models:
                if not model.contract.dimension:
                    columns = [Column(*each, "") for each in empty.columns(model).items()]
                    returned = replace(model, contract=with_columns(model.contract, columns))
                    found[model.contract.table] = Derived(returned, Derivation(returned))
        return found


def main(
    arguments: Sequence[str] | None = None,
    folder: Path = FOLDER,
    raw: Sequence[Contract] = CONTRACTS,
) -> None:
    """Print the changes of the contracts, or write them."""
    parser = argparse.ArgumentParser("make model", description=__doc__)
    parser.add_argument("tables", nargs="*", help="star tables (default: those without a contract)")
    parser.add_argument("--write", action="store_true", help="write the changes")
    options = parser.parse_args(arguments)
    star = Star(folder, raw)
    existing = star.existing()
    there_are = tables(folder)
    for table in options.tables:
        if table not in there_are:
            near = did_you_mean(table, there_are)
            raise ModelError(
                f"There is no star/{table}.sql. Existing tables: {', '.join(there_are)}{near}"
            )
    wanted = options.tables or [table for table in there_are if table not in existing]
    if not wanted:
        print("Every SQL file has a contract. To compare one with its SQL, use TABLE=<table>.")
    stubs = {
        table: _stub(table) for table in there_are if table not in existing and table in wanted
    }
    derived = star.derived({**existing, **stubs})
    for table in wanted:
        derived[table] = described(derived[table], existing.get(table))
    for table in wanted:
        keys, circular = proposed_keys(derived[table], list(derived.values()))
        if table not in existing:
            derived[table] = _with(derived[table], foreign_keys=tuple(keys))
            _write_new(folder, derived[table].contract, circular)
        else:
            _write(folder, derived[table].contract, existing[table], keys, write=options.write)
        _ask_for_versions(derived[table].model)


def with_columns(contract: Contract, columns: Sequence[Column]) -> Contract:
    """Return the contract with these columns. Existing columns keep the texts of people."""
    known = {column.name: column for column in contract.columns}
    return replace(
        contract,
        columns=tuple(
            replace(known[column.name], type=column.type) if column.name in known else column
            for column in columns
        ),
    )


def described(table: Derived, existing: Contract | None) -> Derived:
    """Return the table with all derived facts, except where its existing contract has its own."""
    model, derivation = table.model, table.derivation
    raw = {(c.table, column.name): column for c in model.sources for column in c.columns}
    known = {column.name for column in existing.columns} if existing else set()
    columns = []
    for column in model.contract.columns:
        origin = derivation.origin(column.name)
        same = raw[origin] if origin else column
        columns.append(
            column
            if column.name in known
            else replace(
                column,
                description=same.description,
                nullable=derivation.is_nullable(column.name),
                unit=same.unit,
                personal=any(raw[each].personal for each in model.column_lineage[column.name]),
            )
        )
    proposal = _with(table, columns=tuple(columns))
    if existing:
        return proposal
    named = {column.name.lower(): column for column in columns}
    key = [named[name] for name in derivation.key]
    return _with(
        proposal,
        description=_comment(model.sql),
        key=() if any(c.nullable for c in key) else tuple(c.name for c in key),
        sorted_by=tuple(named[name].name for name in derivation.sorted_by),
    )


def _with(table: Derived, **changes: object) -> Derived:
    contract = replace(table.contract, **changes)  # type: ignore[arg-type]
    return Derived(replace(table.model, contract=contract), table.derivation)


def _stub(table: str) -> Contract:
    return Contract("star", table, OPEN_GRAIN, "", key=(), columns=())


def _comment(sql: str) -> str:
    """Return the comment at the start of a SQL file."""
    lines = re.match(r"(?:--.*\n)*", sql)
    return " ".join(re.sub(r"^--\s*", "", lines[0] if lines else "", flags=re.MULTILINE).split())


def _write(
    folder: Path,
    contract: Contract,
    existing: Contract,
    keys: Sequence[ForeignKey],
    *,
    write: bool,
) -> None:
    name, file = f"star/{contract.table}.py", folder / f"{contract.table}.py"
    after = file.read_text(encoding="utf-8")
    if contract != existing:
        after = formatted(with_constants(after, {"CONTRACT": code_of(contract)}))
    take_over(file, name, after, write=write)
    for key in keys:
        if key not in existing.foreign_keys:
            print(f"  {name}: it doesn't declare the possible {shown(key)}")


def _write_new(folder: Path, contract: Contract, circular: Sequence[ForeignKey]) -> None:
    name = f"star/{contract.table}.py"
    code = formatted(_new_file(contract, circular))
    take_over(folder / f"{contract.table}.py", name, code, write=True)
    print(f"  {name}: replace the grain `{OPEN_GRAIN}`; `make check` fails until you do.")
    if not contract.key:
        print(f"  {name}: the key can't be derived from the SQL: write it.")
    for key in circular:
        print(
            f"  {name}: left out: {', '.join(key.columns)} may refer to {key.references}, which "
            "refers to this table. Declare only one of the two."
        )


def _ask_for_versions(model: Model) -> None:
    """Print which foreign keys to histories are missing. Their day doesn't follow from the SQL."""
    declared = {key.references for key in model.contract.foreign_keys}
    for history in model.read_histories:
        name, key = history.contract.table, ", ".join(history.contract.key)
        if name not in declared:
            print(
                f"  star/{model.contract.table}.py: the SQL reads star.{name}. If the table "
                f"has versions, declare a ForeignKey with the columns that refer to {key} and with "
                "the column of the day on which the version is valid."
            )


def _new_file(contract: Contract, circular: Sequence[ForeignKey]) -> str:
    code = code_of(contract)
    used = [name for name in ("Column", "Contract", "ForeignKey") if f"{name}(" in code]
    notes = "".join(
        f"# Left out, because {key.references} refers to this table: {shown(key)}\n"
        for key in circular
    )
    return (
        f'"""The contract of {contract.table}."""\n\n'
        f"from starschema_assets.contract import {', '.join(used)}\n\n"
        f"{notes}CONTRACT = {code}\n"
    )


if __name__ == "__main__":
    command.run(main)
