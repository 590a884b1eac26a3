"""The models of this business: one for each table of the star, in the order of publication."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starschema_assets.contract import Reconciliation
from starschema_assets.history import history_contract
from starschema_assets.model import Model, users_of
from starschema_assets.raw.contracts import CONTRACTS as RAW_CONTRACTS
from starschema_assets.star import (
    dim_customers,
    dim_dates,
    dim_locations,
    dim_products,
    fact_orders,
)

FOLDER = Path(__file__).parent

HISTORIES = tuple(
    Model(history_contract(module.CONTRACT), FOLDER, RAW_CONTRACTS)
    for module in (dim_customers, dim_products)
)
MODELS = (
    Model(dim_locations.CONTRACT, FOLDER, RAW_CONTRACTS, HISTORIES),
    *HISTORIES,
    *(
        Model(module.CONTRACT, FOLDER, RAW_CONTRACTS, HISTORIES)
        for module in (dim_customers, dim_products, dim_dates, fact_orders)
    ),
)
"""What is referred to before what refers to it."""


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
