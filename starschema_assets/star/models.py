"""The models of this business: one for each table of the star, in the order of publication."""

from collections.abc import Mapping
from functools import cache

from starschema_assets.contract import Reconciliation
from starschema_assets.model import users_of
from starschema_assets.raw.contracts import CONTRACTS as RAW_CONTRACTS
from starschema_assets.star.discovery import discovered

MODELS = discovered(RAW_CONTRACTS)
"""What is referred to before what refers to it."""
HISTORIES = tuple(model for model in MODELS if model.contract.dimension)


@cache
def used_by() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """For each raw table, for each of its columns that something needs, what needs it."""
    return users_of(MODELS, RAW_CONTRACTS)


def reconciliations() -> list[Reconciliation]:
    """What the source is asked for, so that tables of the star can be compared with it.

    Raises ValueError if two of one raw table would be recorded in one entry of its file.
    """
    found = [model.contract.reconciliation for model in MODELS if model.contract.reconciliation]
    names = [(each.table, each.entry) for each in found]
    for table, entry in names:
        if names.count((table, entry)) > 1:
            raise ValueError(f"two reconciliations with raw/{table} have the entry {entry!r}")
    return found
