"""Finds the models of the star by their files, and brings them into the order of publication."""

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
"""Of `<table>.sql` and `<table>.py`, which holds its contract."""


def discovered(raw: Sequence[Contract]) -> tuple[Model, ...]:
    """All models of the folder, what is referred to before what refers to it.

    Raises ModelError.
    """
    found = tables(FOLDER)
    for file in sorted(FOLDER.glob("*.py")):
        if file.stem not in found and holds_contract(file):
            raise ModelError(
                f"star/{file.name} is the contract of a table without star/{file.stem}.sql"
            )
    contracts = with_references({name: contract_of(name) for name in found})
    return in_order(models_of(contracts, raw))


def tables(folder: Path = FOLDER) -> list[str]:
    """The tables that have a SQL file."""
    return sorted(path.stem for path in folder.glob("*.sql"))


def contract_of(table: str) -> Contract:
    """The contract beside a SQL file; raises ModelError if there is none."""
    file = FOLDER / f"{table}.py"
    if not file.exists():
        raise ModelError(
            f"star/{table}.sql has no contract: `make model TABLE={table}` writes star/{table}.py"
        )
    if not holds_contract(file):
        raise ModelError(
            f"star/{table}.py holds no CONTRACT; if it is a part of the project, give the table "
            f"of star/{table}.sql another name"
        )
    contract: Contract = import_module(f"{__package__}.{table}").CONTRACT
    if contract.path != ("star", table):
        raise ModelError(f"star/{table}.py holds the contract of {contract.name}: rename one")
    return contract


def holds_contract(file: Path) -> bool:
    """Whether a Python file is the contract of a table, and not a part of the project."""
    return "\nCONTRACT = " in file.read_text(encoding="utf-8")


def with_references(contracts: Mapping[str, Contract]) -> dict[str, Contract]:
    """The contracts, each knowing whether another one refers to it."""
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
    """A model for each contract, and one for the history of each dimension that is tracked."""
    histories = [
        Model(history_contract(contract), folder, raw)
        for contract in contracts.values()
        if contract.tracked
    ]
    own = [Model(contract, folder, raw, histories) for contract in contracts.values()]
    return [*histories, *own]


def in_order(models: Sequence[Model]) -> tuple[Model, ...]:
    """The models, each after those that it refers to and the histories that it is made of.

    A table may refer to itself. Raises ModelError for a reference to no table, and for a circle.
    """
    by_name = {model.contract.table: model for model in models}
    for model in models:
        if by_name[model.contract.table] is not model:
            raise ModelError(
                f"{model.contract.name} is the name of a table and of a history: rename the table"
            )
    before = {name: _before(model, by_name) for name, model in by_name.items()}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(before).static_order())
    except CycleError as error:
        circle = " → ".join(f"star/{name}" for name in reversed(error.args[1]))
        raise ModelError(
            f"{circle}: these tables refer to each other in a circle, so none of them can be "
            "published before the others: leave one of the foreign keys out"
        ) from None


def _before(model: Model, known: Mapping[str, Model]) -> list[str]:
    """The tables that are published before this one."""
    contract = model.contract
    for key in contract.foreign_keys:
        if key.references not in known:
            raise ModelError(
                f"{contract.name}: the foreign key {', '.join(key.columns)} refers to "
                f"star/{key.references}, and there is no such table; there are: "
                f"{', '.join(known)}{did_you_mean(key.references, known)}"
            )
    histories = [
        history.contract.table
        for history in model.read_histories
        if contract.table not in {key.references for key in history.contract.foreign_keys}
    ]
    references = [key.references for key in contract.foreign_keys]
    return [name for name in (*references, *histories) if name != contract.table]
