"""`make contracts`: writes raw contracts from what the database declares.

It reads tables, columns, types, nullability, keys and comments of the database in
STARSCHEMA_SOURCE_URL. What people wrote into the contracts stays: descriptions, units, marks and
order. Where there are contracts already, it prints the difference; `--write` takes it over.
"""

import argparse
import re
import runpy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from starschema_assets import command
from starschema_assets.authoring.personal import looks_personal
from starschema_assets.authoring.source_code import code_of, formatted, take_over, with_constants
from starschema_assets.contract import Column, Contract
from starschema_assets.errors import StarschemaError, did_you_mean
from starschema_assets.settings import CHECKOUT, Settings
from starschema_assets.source.database import Described, SourceTable
from starschema_assets.source.source import Source
from starschema_assets.star.verification import NAME, OPEN_GRAIN

FILE = CHECKOUT / "starschema_assets" / "raw" / "contracts.py"
HEAD = '''\
"""The tables of the operational database, as this project knows them.

The source may have more columns than stand here: they flow into raw as they are.
"""

from starschema_assets.contract import Column, Contract

CONTRACTS = ()
'''
TABLE_KINDS = {"base table", "system versioned"}


@dataclass(frozen=True)
class Declaration:
    """What the database declares of a table."""

    table: SourceTable
    described: Sequence[Described]

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key, or else a unique index without NULLs."""
        return self.table.key or tuple(d.column for d in self.described if d.is_key)


def main(arguments: Sequence[str] | None = None, file: Path = FILE) -> None:
    """Print or write what the contracts would be."""
    parser = argparse.ArgumentParser("make contracts", description=__doc__)
    parser.add_argument("tables", nargs="*", help="the tables (default: all that have a key)")
    parser.add_argument("--write", action="store_true", help="take the difference over")
    options = parser.parse_args(arguments)
    before = file.read_text(encoding="utf-8") if file.exists() else HEAD
    existing = contracts_in(file) if file.exists() else {}
    written = {contract.table for contract in existing.values()}
    declared, notes = declarations(Source(Settings()), options.tables, written)
    contracts = {
        constant: merged(contract, declared.get(contract.table))
        for constant, contract in existing.items()
        if contract.table in declared or options.tables
    }
    known = {contract.table for contract in contracts.values()}
    for table, declaration in declared.items():
        if table not in known:
            contracts[constant_of(table, contracts)] = proposed(declaration)
    for note in notes:
        print(note)
    after = formatted(edited(before, existing, contracts))
    take_over(file, "raw/contracts.py", after, write=options.write or not existing)


def contracts_in(file: Path) -> dict[str, Contract]:
    """The contracts of a file by the names of their constants, in the order of CONTRACTS."""
    names = runpy.run_path(str(file))
    constants = {id(value): name for name, value in names.items() if isinstance(value, Contract)}
    return {constants[id(contract)]: contract for contract in names.get("CONTRACTS", ())}


def declarations(
    source: Source, chosen: Sequence[str], written: Collection[str]
) -> tuple[dict[str, Declaration], list[str]]:
    """What becomes contracts, by table, and one line for each thing that doesn't.

    Tables that are `chosen`, or have `written` contracts, are taken without a key, and views too.
    Raises StarschemaError if there is no such table.
    """
    described = {
        table: list(columns) for table, columns in groupby(source.described(), attrgetter("table"))
    }
    for name in chosen:
        if name not in described:
            raise StarschemaError(
                f"{source.name} has no table {name} that the user may SELECT from; there are: "
                f"{', '.join(described)}{did_you_mean(name, described)}"
            )
    found: dict[str, Declaration] = {}
    notes: list[str] = []
    wanted = sorted(chosen or described, key=lambda name: (name.lower(), name))
    for name, table in source.declared(wanted).items():
        declaration = Declaration(table, described[name])
        is_wanted = bool(chosen) or name in written
        if reason := _left_out(declaration, found, is_wanted=is_wanted):
            notes.append(f"{name}: {reason}")
        else:
            found[name] = declaration
            notes += _remarks(declaration, is_written=name in written)
    return found, notes


def _left_out(
    declaration: Declaration, others: Mapping[str, Declaration], *, is_wanted: bool
) -> str:
    """Why a table gets no contract; empty if it does."""
    name, kind = declaration.table.name, declaration.described[0].kind
    takes = f'TABLES="{name}" takes it, with a key that you write'
    if not NAME.fullmatch(name):
        return (
            "left out: its name has more than letters, digits and underscores; make a view with "
            'another name, and TABLES="<view>" takes it'
        )
    if same := [other for other in others if other.lower() == name.lower()]:
        return f"left out: its name differs from {same[0]} in case only, and Athena ignores case"
    if kind not in TABLE_KINDS and not is_wanted:
        return f"left out: it is a {kind}; {takes}"
    if not declaration.key and not is_wanted:
        return f"left out: it has no key; {takes}"
    return ""


def _remarks(declaration: Declaration, *, is_written: bool) -> Iterator[str]:
    """What to know of a table that gets a contract."""
    table = declaration.table
    if not declaration.key and not is_written:
        yield f"{table.name}: it has no key: write the columns that tell its rows apart"
    elif declaration.key and not table.key:
        key = ", ".join(declaration.key)
        yield f"{table.name}: it has no primary key; {key}, which is unique, stands for it"
    for column in table.left_out:
        yield (
            f"{table.name}.{column.name}: left out: {column.reason}; a view that casts it can be "
            "read instead"
        )


def proposed(declaration: Declaration) -> Contract:
    """The contract of a table that has none yet."""
    table, key = declaration.table, declaration.key
    comments = {each.column: _one_line(each.comment) for each in declaration.described}
    return Contract(
        stage="raw",
        table=table.name,
        grain=f"one row per {' and '.join(key)}" if key else OPEN_GRAIN,
        description=_one_line(declaration.described[0].table_comment),
        key=key,
        columns=tuple(
            Column(
                column.name,
                column.type,
                comments[column.name],
                nullable=column.nullable,
                personal=looks_personal(table.name, column.name, column.declared),
            )
            for column in table.columns
        ),
    )


def merged(contract: Contract, declaration: Declaration | None) -> Contract:
    """The contract with what the database declares, and with what people wrote."""
    if declaration is None:
        return contract
    proposal = proposed(declaration)
    declared = {column.name: column for column in proposal.columns}
    columns = [
        replace(
            column,
            type=declared[column.name].type,
            nullable=declared[column.name].nullable,
            description=column.description or declared[column.name].description,
        )
        for column in contract.columns
        if column.name in declared
    ]
    names = [column.name for column in columns]
    for place, column in enumerate(proposal.columns):
        if column.name not in names:
            # After the column that is before it at the source
            before = proposal.columns[place - 1].name if place else None
            at = names.index(before) + 1 if before else 0
            names.insert(at, column.name)
            columns.insert(at, column)
    return replace(
        contract,
        description=contract.description or proposal.description,
        key=proposal.key or contract.key,
        columns=tuple(columns),
    )


def constant_of(table: str, taken: Mapping[str, Contract]) -> str:
    """The name of a table's constant."""
    name = table.upper() if not table[0].isdigit() else f"TABLE_{table.upper()}"
    while name in taken or name == "CONTRACTS":
        name += "_"
    return name


def edited(code: str, existing: Mapping[str, Contract], contracts: Mapping[str, Contract]) -> str:
    """The code with these contracts: only those that differ are written anew."""
    changed = {
        constant: code_of(contracts[constant]) if constant in contracts else ""
        for constant in {**existing, **contracts}
        if contracts.get(constant) != existing.get(constant)
    }
    order = f"({''.join(f'{constant}, ' for constant in contracts)})"
    return with_constants(code, {**changed, "CONTRACTS": order})


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


if __name__ == "__main__":
    command.run(main)
