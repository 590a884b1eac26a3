"""Finds the star's models by their files, and sorts them in the order of publication."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

from starschema_assets.contract import Contract
from starschema_assets.errors import did_you_mean
from starschema_assets.history import history_contract
from starschema_assets.model import Model, ModelError

FOLDER = Path(__file__).parent
"""Folder of the files `<table>.sql` and `<table>.py`, the table's contract."""


def discovered(raw: Sequence[Contract]) -> tuple[Model, ...]:
    """Return all models of the folder, each after the tables it refers to. Raises ModelError."""
    found = tables(FOLDER)
    for file in sorted(FOLDER.glob("*.py")):
        if file.stem not in found and holds_contract(file):
            raise ModelError(
                f"star/{file.name} is a contract, but star/{file.stem}.sql does not exist"
            )
    contracts = with_references({name: contract_of(name) for name in found})
    return in_order(models_of(contracts, raw))


def tables(folder: Path = FOLDER) -> list[str]:
    """Return the names of the tables that have a SQL file."""
    return sorted(path.stem for path in folder.glob("*.sql"))


def contract_of(table: str) -> Contract:
    """Return the contract that belongs to a SQL file. Raises ModelError if there is none."""
    file = FOLDER / f"{table}.py"
    if not file.exists():
        raise ModelError(
            f"star/{table}.sql has no contract: `make model TABLE={table}` writes star/{table}.py"
        )
    if not holds_contract(file):
        raise ModelError(
            f"star/{table}.py defines no CONTRACT. If it is a module of the package, the name is "
            f"reserved: rename star/{table}.sql"
        )
    contract: Contract = import_module(f"{__package__}.{table}").CONTRACT
    if contract.path != ("star", table):
        raise ModelError(f"star/{table}.py defines the contract of {contract.name}: rename one")
    return contract


def holds_contract(file: Path) -> bool:
    """Return whether a Python file is a table's contract, not another module of the package."""
    return "\nCONTRACT = " in file.read_text(encoding="utf-8")


def with_references(contracts: Mapping[str, Contract]) -> dict[str, Contract]:
    """Return the contracts with `is_referred_to` set."""
    referred_to = {
        key.references
        for table, contract in contracts.items()
        for key in contract.foreign_keys
        if key.references != table
    }
    return {
        table: replace(contract, is_referred_to=table in referred_to)
        for table, contract in contracts.items()
    }


def models_of(
    contracts: Mapping[str, Contract], raw: Sequence[Contract], folder: Path = FOLDER
) -> list[Model]:
    """Return one model per contract, and one per history of a tracked dimension."""
    histories = [
        Model(history_contract(contract), folder, raw)
        for contract in contracts.values()
        if contract.tracked
    ]
    own = [Model(contract, folder, raw, histories) for contract in contracts.values()]
    return [*histories, *own]


def in_order(models: Sequence[Model]) -> tuple[Model, ...]:
    """Return the models, each after those it refers to and the histories it is built from.

    A table may refer to itself. Raises ModelError for an unknown reference and for a cycle.
    """
    by_name = {model.contract.table: model for model in models}
    for model in models:
        if by_name[model.contract.table] is not model:
            raise ModelError(
                f"{model.contract.name} is the name of both a table and a history: rename the table"
            )
    before = {name: _before(model, by_name) for name, model in by_name.items()}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(before).static_order())
    except CycleError as error:
        cycle = " → ".join(f"star/{name}" for name in reversed(error.args[1]))
        raise ModelError(
            f"{cycle}: these tables refer to each other in a cycle, so none of them can be "
            "published first: remove one of the foreign keys"
        ) from None


def _before(model: Model, known: Mapping[str, Model]) -> list[str]:
    """Return the tables that must be published before this one."""
    contract = model.contract
    for key in contract.foreign_keys:
        if key.references not in known:
            raise ModelError(
                f"{contract.name}: the foreign key {', '.join(key.columns)} refers to "
                f"star/{key.references}, which does not exist. Existing tables: "
                f"{', '.join(known)}{did_you_mean(key.references, known)}"
            )
    histories = [
        history.contract.table
        for history in model.read_histories
        if contract.table not in {key.references for key in history.contract.foreign_keys}
    ]
    references = [key.references for key in contract.foreign_keys]
    return [name for name in (*references, *histories) if name != contract.table]
