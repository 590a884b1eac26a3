"""Audit of a file's schema against what was declared."""

from collections.abc import Mapping

import pyarrow as pa

from starschema_assets.contract import Contract
from starschema_assets.quality.checks import TYPES
from starschema_assets.quality.finding import Finding
from starschema_assets.types import UnsupportedType, athena_type


def types(contract: Contract, schema: pa.Schema, declared: Mapping[str, str]) -> Finding:
    """Compare the columns of a file with the declared ones: name, order and Athena type."""
    actual = types_of(schema)
    differences = [
        f"{name} is {actual.get(name, 'missing')}, declared {declared.get(name, 'nowhere')}"
        for name in {**declared, **actual}
        if actual.get(name) != declared.get(name)
    ]
    if not differences and list(actual) != list(declared):
        differences = [f"the columns stand in the order {', '.join(actual)}"]
    message = "; ".join(differences)
    return Finding(contract, TYPES, passed=not differences, message=message, final=True)


def not_there(contract: Contract, reason: str) -> Finding:
    """Report that there is no file, or none that can be read."""
    return Finding(contract, TYPES, passed=False, message=reason, final=True)


def types_of(schema: pa.Schema) -> dict[str, str]:
    """Athena's type of each column, or Arrow's where Athena has none."""
    return {field.name: _athena(field.type) for field in schema}


def _athena(arrow: pa.DataType) -> str:
    try:
        return athena_type(arrow)
    except UnsupportedType:
        return str(arrow)
