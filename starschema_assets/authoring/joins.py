"""Analyses joins: which sources may lack a row, and whose rows determine those of others."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

Attribute = tuple[str, str]
"""A column in a query: alias of its source, and name."""


def aliases_of(scope: Scope) -> list[str]:
    """Return the aliases of a query's sources, in order."""
    from_ = scope.expression.args.get("from_")
    joins = scope.expression.args.get("joins") or []
    return [part.alias_or_name for part in [from_, *joins] if part]


def optional_sources(scope: Scope) -> set[str]:
    """Return the sources whose columns are NULL if an outer join finds no row."""
    found: set[str] = set()
    before: list[str] = aliases_of(scope)[:1]
    for join in scope.expression.args.get("joins") or []:
        if join.side in {"LEFT", "FULL"}:
            found.add(join.alias_or_name)
        if join.side in {"RIGHT", "FULL"}:
            found |= set(before)
        before.append(join.alias_or_name)
    return found


def required_columns(scope: Scope) -> set[Attribute]:
    """Return the columns that can't be NULL in the result, because of the filter."""
    where = scope.expression.args.get("where")
    return {
        (column.table, column.name)
        for part in _conditions(where.this if where else None)
        for column in _compared(part)
        if isinstance(column, exp.Column)
    }


def _compared(condition: exp.Expr) -> list[exp.Expr]:
    """Return the expressions that can't be NULL if a condition is true."""
    if isinstance(condition, exp.Not) and isinstance(condition.this, exp.Is):
        return [condition.this.this] if isinstance(condition.this.expression, exp.Null) else []
    if isinstance(condition, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return [condition.this, condition.expression]
    return []


def _conditions(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """Yield the conditions that are combined by AND."""
    if condition is not None:
        yield from condition.flatten() if isinstance(condition, exp.And) else [condition]


class Equation(NamedTuple):
    """An equality in a join condition or in the filter."""

    sides: tuple[exp.Expr, exp.Expr]
    optional: str
    """For an outer join, the source for whose rows the equation holds; empty if it always holds."""

    def holds_for(self, alias: str) -> bool:
        """Return whether the equation holds in every result row that has a row of the source."""
        return self.optional in {"", alias}


def equations_of(scope: Scope) -> Iterator[Equation]:
    """Yield the equalities in the joins and the filter of a query."""
    where = scope.expression.args.get("where")
    conditions = [
        (join.args.get("on"), join.alias_or_name if join.side else "")
        for join in scope.expression.args.get("joins") or []
    ]
    for condition, optional in [*conditions, (where.this if where else None, "")]:
        for part in _conditions(condition):
            if isinstance(part, exp.EQ):
                yield Equation((part.left, part.right), optional)


def root_sources(scope: Scope, keys: Mapping[str, Collection[Attribute] | None]) -> list[str]:
    """Return a minimal list of sources whose rows determine the rows of all others."""
    may_lack = optional_sources(scope)
    found = list(keys)
    for alias in reversed(list(keys)):
        others = [each for each in found if each != alias]
        # A source that may have no row can't determine one that always has a row
        known = others if alias in may_lack else [each for each in others if each not in may_lack]
        if alias in _determined(scope, keys, known):
            found = others
    return found


def _determined(
    scope: Scope, keys: Mapping[str, Collection[Attribute] | None], known: Sequence[str]
) -> set[str]:
    """Return the sources that have at most one row per combination of rows of the known ones."""
    found = set(known)
    equations = list(equations_of(scope))

    def is_found(alias: str, attribute: Attribute) -> bool:
        return any(
            (one.table, one.name) == attribute
            and found.issuperset(column.table for column in other.find_all(exp.Column))
            for equation in equations
            if equation.holds_for(alias)
            for one, other in (equation.sides, equation.sides[::-1])
            if isinstance(one, exp.Column)
        )

    while more := {
        alias
        for alias, key in keys.items()
        if alias not in found and key and all(is_found(alias, each) for each in key)
    }:
        found |= more
    return found


def equal_attributes(scope: Scope, attribute: Attribute) -> Iterator[Attribute]:
    """Yield the attributes that equal this one in every row, because of a join or the filter."""
    may_lack = optional_sources(scope)
    for equation in equations_of(scope):
        for one, other in (equation.sides, equation.sides[::-1]):
            if isinstance(one, exp.Column) and isinstance(other, exp.Column):
                pair = (one.table, one.name), (other.table, other.name)
                is_certain = not equation.optional and may_lack.isdisjoint({one.table, other.table})
                if pair[0] == attribute and is_certain:
                    yield pair[1]
