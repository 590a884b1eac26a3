"""Derives facts about a star table from its SQL: origins and nullability of columns, and the key.

The results are conservative. A column is nullable unless the SQL rules out NULL, and a key is
returned only if joins can't multiply its rows.
"""

from collections.abc import Callable
from functools import cached_property

from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from starschema_assets.authoring.joins import (
    Attribute,
    aliases_of,
    equal_attributes,
    equations_of,
    optional_sources,
    required_columns,
    root_sources,
)
from starschema_assets.contract import Contract
from starschema_assets.model import DIALECT, Model, RawColumn, parsed

_STRICT = (
    exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.DPipe, exp.Concat, exp.Predicate, exp.And,
    exp.Or, exp.Not, exp.Trim, exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Replace,
    exp.Left, exp.Right, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Greatest, exp.Least, exp.MD5,
    exp.Extract, exp.Year, exp.Month, exp.Day, exp.DateDiff, exp.DateTrunc, exp.TimestampTrunc,
    exp.TimeToStr,
)  # fmt: skip
"""Expressions that are NULL only if one of their arguments is NULL."""
_NEVER_NULL = (
    exp.Literal,
    exp.Boolean,
    exp.Count,
    exp.RowNumber,
    exp.Exists,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)


class Derivation:
    """Analysis of a star table's query, including the steps and histories that it reads."""

    def __init__(self, model: Model) -> None:
        queries: dict[str, exp.Query | Callable[[], exp.Query]] = {
            f"star.{name}": parsed(sql) for name, sql in model.star_queries.items()
        }
        tree = exp.expand(parsed(model.sql), queries, dialect=DIALECT)
        qualified = qualify(tree, dialect=DIALECT, schema={"raw": model.raw_schema})
        root = build_scope(qualified)
        if root is None:
            raise ValueError(f"{model.contract.name}: its SQL has no query")
        self._root = root
        self._raw = {contract.table.lower(): contract for contract in model.sources}

    def origin(self, column: str) -> RawColumn | None:
        """Return the raw column that a column copies, at most trimmed; None if there is none."""
        return self._origin(self._root, _names(self._root).index(column.lower()))

    def is_nullable(self, column: str) -> bool:
        """Return whether a column may be NULL."""
        return self._is_nullable(self._root, _names(self._root).index(column.lower()))

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row, in lower case; empty if they don't follow from the SQL."""
        return tuple(sorted(self._key(self._root) or (), key=_names(self._root).index))

    @cached_property
    def equal(self) -> frozenset[frozenset[RawColumn]]:
        """Pairs of raw columns that joins or filters require to be equal."""
        pairs = set()
        for scope in self._root.traverse():
            for equation in equations_of(scope):
                origins = (self._origin_of(scope, side) for side in equation.sides)
                pairs.add(frozenset(filter(None, origins)))
        return frozenset(pairs)

    @cached_property
    def sorted_by(self) -> tuple[str, ...]:
        """Columns of `order by`, in lower case, up to the first that isn't a column."""
        order = self._root.expression.args.get("order")
        names = []
        for ordered in order.expressions if order else []:
            names += [
                select.alias_or_name
                for select in _query(self._root).selects
                if select.unalias() == ordered.this or ordered.this.name == select.alias_or_name
            ][:1] or [""]
        return tuple(names[: names.index("")] if "" in names else names)

    def _origin(self, scope: Scope, place: int) -> RawColumn | None:
        if scope.set_operation_scopes:
            origins = {self._origin(part, place) for part in scope.set_operation_scopes}
            return origins.pop() if len(origins) == 1 else None
        return self._origin_of(scope, _query(scope).selects[place])

    def _origin_of(self, scope: Scope, value: exp.Expr) -> RawColumn | None:
        value = value.unalias()
        while isinstance(value, exp.Paren | exp.Trim):
            value = value.this
        source = scope.sources.get(value.table) if isinstance(value, exp.Column) else None
        if isinstance(source, Scope) and value.name in _names(source):
            return self._origin(source, _names(source).index(value.name))
        contract = self._contract(source)
        spelling = {c.name.lower(): c.name for c in contract.columns} if contract else {}
        name = spelling.get(value.name.lower())
        return (contract.table, name) if contract and name else None

    def _contract(self, source: object) -> Contract | None:
        """Return the contract if the source is a raw table."""
        is_raw = isinstance(source, exp.Table) and source.db == "raw"
        return self._raw[source.name.lower()] if is_raw else None  # type: ignore[attr-defined]

    def _is_nullable(self, scope: Scope, place: int) -> bool:
        if scope.set_operation_scopes:
            return any(self._is_nullable(part, place) for part in scope.set_operation_scopes)
        if _has_subtotals(scope):
            return True
        return self._may_be_null(scope, _query(scope).selects[place].unalias())

    def _may_be_null(self, scope: Scope, value: exp.Expr) -> bool:  # noqa: PLR0911 - one per rule
        if isinstance(value, exp.Column):
            return self._may_column_be_null(scope, value)
        if isinstance(value, _NEVER_NULL):
            return False
        if isinstance(value, exp.Window):
            return not isinstance(value.this, _NEVER_NULL)
        if isinstance(value, exp.Cast) and not isinstance(value, exp.TryCast):
            return self._may_be_null(scope, value.this)
        if isinstance(value, exp.Is) and isinstance(value.expression, exp.Null):
            return False
        if isinstance(value, exp.Coalesce):
            return all(self._may_be_null(scope, part) for part in [value.this, *value.expressions])
        if isinstance(value, exp.Case):
            results = [branch.args["true"] for branch in value.args["ifs"]]
            default = value.args.get("default") or exp.Null()
            return any(self._may_be_null(scope, part) for part in [*results, default])
        if isinstance(value, exp.Sum | exp.Min | exp.Max | exp.Avg):
            is_grouped = scope.expression.args.get("group") is not None
            return not is_grouped or self._may_be_null(scope, value.this)
        if isinstance(value, _STRICT):
            return any(
                self._may_be_null(scope, part)
                for part in value.iter_expressions()
                if not isinstance(part, exp.Var)
            )
        return True

    def _may_column_be_null(self, scope: Scope, column: exp.Column) -> bool:
        if (column.table, column.name) in required_columns(scope):
            return False
        if column.table in optional_sources(scope):
            return True
        source = scope.sources.get(column.table)
        if isinstance(source, Scope) and column.name in _names(source):
            return self._is_nullable(source, _names(source).index(column.name))
        contract = self._contract(source)
        nullable = {c.name.lower(): c.nullable for c in contract.columns} if contract else {}
        return nullable.get(column.name.lower(), True)

    def _key(self, scope: Scope) -> set[str] | None:
        """Return columns of a query that identify a row; None if that isn't certain."""
        query = _query(scope)
        makes_rows = any(each.find(exp.Unnest, exp.Explode) for each in query.selects)
        if makes_rows or scope.set_operation_scopes or _has_subtotals(scope):
            return None
        if query.args.get("distinct"):
            return set(query.named_selects)
        if group := query.args.get("group"):
            names = {
                select.alias_or_name
                for select in query.selects
                if any(select.unalias() == by for by in group.expressions)
            }
            return names if len(names) == len(group.expressions) else None
        keys = {alias: self._key_of_source(scope, alias) for alias in aliases_of(scope)}
        if not all(keys.values()):
            return None
        outputs = {
            (column.table, column.name): select.alias_or_name
            for select in reversed(query.selects)
            if isinstance(column := select.unalias(), exp.Column)
        }
        attributes = {each for alias in root_sources(scope, keys) for each in keys[alias] or ()}
        same = ([each, *equal_attributes(scope, each)] for each in attributes)
        found = [next((outputs[each] for each in equal if each in outputs), "") for equal in same]
        return set(found) if all(found) else None

    def _key_of_source(self, scope: Scope, alias: str) -> set[Attribute] | None:
        source = scope.sources.get(alias)
        if isinstance(source, Scope):
            key = self._key(source)
        else:
            contract = self._contract(source)
            key = {name.lower() for name in contract.key} if contract else None
        return {(alias, name) for name in key} if key else None


def _query(scope: Scope) -> exp.Query:
    """Return the query of a scope. sqlglot's types don't distinguish it from other expressions."""
    query = scope.expression
    if not isinstance(query, exp.Query):
        raise TypeError(f"not a query: {query.sql(DIALECT)}")
    return query


def _names(scope: Scope) -> list[str]:
    """Return the names of a query's columns."""
    return _query(scope).named_selects


def _has_subtotals(scope: Scope) -> bool:
    """Return whether `group by` adds subtotal rows, in which columns are NULL."""
    group = scope.expression.args.get("group") or exp.Group()
    return group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None
