"""Finds possible foreign keys of a star table by the names and origins of its columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from starschema_assets.authoring.derivation import Derivation
from starschema_assets.contract import Column, Contract, ForeignKey
from starschema_assets.model import Model, RawColumn

GENERIC = {"code", "id", "key", "name", "no", "number"}
"""Names of keys that don't identify their table."""


@dataclass(frozen=True)
class Derived:
    """A star table with the analysis of its SQL."""

    model: Model
    derivation: Derivation

    @property
    def contract(self) -> Contract:
        """The existing contract, or the one proposed so far."""
        return self.model.contract

    @property
    def key(self) -> list[Column]:
        """Columns of the key."""
        by_name = {column.name: column for column in self.contract.columns}
        return [by_name[name] for name in self.contract.key if name in by_name]

    def origin(self, column: Column) -> RawColumn | None:
        """Return the raw column that a column copies, or None."""
        return self.derivation.origin(column.name)


def proposed_keys(
    table: Derived, others: Sequence[Derived]
) -> tuple[list[ForeignKey], list[ForeignKey]]:
    """Return the possible foreign keys of a table, and those that would be circular."""
    found: list[ForeignKey] = []
    circular: list[ForeignKey] = []
    references = {
        other.contract.table: {key.references for key in other.contract.foreign_keys}
        for other in others
    }
    for other in others:
        is_circular = table.contract.table in _reached(other.contract.table, references)
        is_itself = other.contract.table == table.contract.table
        for columns in _matching(table, other):
            key = ForeignKey(columns, other.contract.table)
            (circular if is_circular and not is_itself else found).append(key)
    return found, circular


def _reached(table: str, references: Mapping[str, set[str]]) -> set[str]:
    """Return the table and all tables that it refers to, directly or through others."""
    found: set[str] = set()
    ahead = {table}
    while ahead:
        found |= ahead
        ahead = {each for name in ahead for each in references.get(name, ())} - found
    return found


def _matching(table: Derived, other: Derived) -> Iterator[tuple[str, ...]]:
    """Yield the columns of a table that may refer to the other table, in the order of its key."""
    if not other.key:
        return
    matches = [
        [column.name for column in table.contract.columns if _refers(table, column, other, key)]
        for key in other.key
    ]
    chosen: Sequence[tuple[str, ...]] = [tuple(names[0] for names in matches if names)]
    if len(matches) == 1:
        chosen = [(name,) for name in matches[0]]
    for columns in chosen:
        if len({*columns}) != len(other.key):
            continue
        same_key = columns == table.contract.key and [*map(table.origin, table.key)] == [
            *map(other.origin, other.key)
        ]
        if not same_key:
            yield columns


def _refers(table: Derived, column: Column, other: Derived, key: Column) -> bool:
    if column.type != key.type:
        return False
    if key.type == "date":
        return len(other.key) == 1  # a calendar
    origin, of_key = table.origin(column), other.origin(key)
    if origin is None or of_key is None:
        lineage = table.model.column_lineage[column.name]
        same = lineage and lineage == other.model.column_lineage[key.name]
        return bool(same) and column.name == key.name
    if origin == of_key or {origin, of_key} in table.derivation.equal:
        return True
    owner = next(each for each in table.model.sources if each.table == origin[0])
    return owner.key != (origin[1],) and _is_named_after(origin[1], of_key)


def _is_named_after(column: str, key: RawColumn) -> bool:
    """Return whether a raw column's name equals the key's, or ends with its table and name."""
    name, of_key, table = _folded(column), _folded(key[1]), _folded(key[0])
    if name == of_key:
        return name not in GENERIC
    singulars = {table, table.removesuffix("s"), table.removesuffix("es")}
    if table.endswith("ies"):
        singulars.add(f"{table[:-3]}y")
    full = {
        of_key if of_key.startswith(singular) else f"{singular}{of_key}" for singular in singulars
    }
    return name.endswith(tuple(full))


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
