"""Generates raw contracts from the database's metadata (`make contracts`).

Reads tables, columns, types, nullability, keys and comments of the database in
STARSCHEMA_SOURCE_URL. Keeps descriptions, units, marks and order that people wrote into existing
contracts. If there are contracts already, it prints the difference; `--write` writes it.
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
"""Contracts of the raw tables, which are read from the operational database.

The source may have more columns than are listed here; the raw tables also contain these.
"""

from starschema_assets.contract import Column, Contract

CONTRACTS = ()
'''
TABLE_KINDS = {"base table", "system versioned"}


@dataclass(frozen=True)
class Declaration:
    """Metadata of a table in the database."""

    table: SourceTable
    described: Sequence[Described]

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key, or otherwise a unique index without NULLs."""
        return self.table.key or tuple(d.column for d in self.described if d.is_key)


def main(arguments: Sequence[str] | None = None, file: Path = FILE) -> None:
    """Print the changes of the contracts, or write them."""
    parser = argparse.ArgumentParser("make contracts", description=__doc__)
    parser.add_argument("tables", nargs="*", help="the tables (default: all that have a key)")
    parser.add_argument("--write", action="store_true", help="write the changes")
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
    """Return a file's contracts by the names of their constants, in the order of CONTRACTS."""
    names = runpy.run_path(str(file))
    constants = {id(value): name for name, value in names.items() if isinstance(value, Contract)}
    return {constants[id(contract)]: contract for contract in names.get("CONTRACTS", ())}


def declarations(
    source: Source, chosen: Sequence[str], written: Collection[str]
) -> tuple[dict[str, Declaration], list[str]]:
    """Return the metadata of the tables that get a contract, and messages about the others.

    Views and tables without a key are included only if they are `chosen` or have `written`
    contracts. Raises StarschemaError if a chosen table doesn't exist.
    """
    described = {
        table: list(columns) for table, columns in groupby(source.described(), attrgetter("table"))
    }
    for name in chosen:
        if name not in described:
            raise StarschemaError(
                f"{source.name} has no table {name}, or the user has no SELECT privilege on it. "
                f"Available tables: {', '.join(described)}{did_you_mean(name, described)}"
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
    """Return why a table gets no contract; empty if it gets one."""
    name, kind = declaration.table.name, declaration.described[0].kind
    include = f'to include it, use TABLES="{name}" and write its key'
    if not NAME.fullmatch(name):
        return (
            "left out: its name has other characters than letters, digits and underscores; create "
            'a view with another name and use TABLES="<view>"'
        )
    if same := [other for other in others if other.lower() == name.lower()]:
        return f"left out: its name differs from {same[0]} only in case, and Athena ignores case"
    if kind not in TABLE_KINDS and not is_wanted:
        return f"left out: it is a {kind}; {include}"
    if not declaration.key and not is_wanted:
        return f"left out: it has no key; {include}"
    return ""


def _remarks(declaration: Declaration, *, is_written: bool) -> Iterator[str]:
    """Yield messages about a table that gets a contract."""
    table = declaration.table
    if not declaration.key and not is_written:
        yield f"{table.name}: it has no key; write the columns that identify a row"
    elif declaration.key and not table.key:
        key = ", ".join(declaration.key)
        yield f"{table.name}: it has no primary key; the unique index on {key} is used instead"
    for column in table.left_out:
        yield (
            f"{table.name}.{column.name}: left out: {column.reason}; to include it, read a view "
            "that casts it"
        )


def proposed(declaration: Declaration) -> Contract:
    """Return the contract of a table that has none yet."""
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
    """Return the contract with the database's current metadata and with the texts of people."""
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
            # Insert it after the column that precedes it at the source
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
    """Return the name of a table's constant."""
    name = table.upper() if not table[0].isdigit() else f"TABLE_{table.upper()}"
    while name in taken or name == "CONTRACTS":
        name += "_"
    return name


def edited(code: str, existing: Mapping[str, Contract], contracts: Mapping[str, Contract]) -> str:
    """Return the code with these contracts; only changed contracts are generated again."""
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
