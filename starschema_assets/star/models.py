"""The models of this business: one per table of the star, in the order of publication."""

from collections.abc import Mapping
from functools import cache

from starschema_assets.contract import Reconciliation
from starschema_assets.model import users_of
from starschema_assets.raw.contracts import CONTRACTS as RAW_CONTRACTS
from starschema_assets.star.discovery import discovered

MODELS = discovered(RAW_CONTRACTS)
"""All models, each after the tables that it refers to."""
HISTORIES = tuple(model for model in MODELS if model.contract.dimension)


@cache
def used_by() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return, for each raw table and each of its columns in use, the models that use it."""
    return users_of(MODELS, RAW_CONTRACTS)


def reconciliations() -> list[Reconciliation]:
    """Return the reconciliations of all models.

    Raises ValueError if two of them use the same entry of one raw table's file.
    """
    found = [model.contract.reconciliation for model in MODELS if model.contract.reconciliation]
    names = [(each.table, each.entry) for each in found]
    for table, entry in names:
        if names.count((table, entry)) > 1:
            raise ValueError(f"two reconciliations with raw/{table} use the entry {entry!r}")
    return found
