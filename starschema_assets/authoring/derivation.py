"""What a star table's SQL says of its columns: where they come from, NULLs, what tells rows apart.

All of it is cautious. A column may be NULL unless the SQL rules it out, and a key is given only if
the joins can't multiply its rows.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property

from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from starschema_assets.contract import Contract
from starschema_assets.model import DIALECT, Model, RawColumn, parsed

Attribute = tuple[str, str]
"""A source of a query, by its alias, and a column of it."""

_STRICT = (
    exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.DPipe, exp.Concat, exp.Predicate, exp.And,
    exp.Or, exp.Not, exp.Trim, exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Replace,
    exp.Left, exp.Right, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Greatest, exp.Least, exp.MD5,
    exp.Extract, exp.Year, exp.Month, exp.Day, exp.DateDiff, exp.DateTrunc, exp.TimestampTrunc,
    exp.TimeToStr,
)  # fmt: skip
"""What is NULL only if something in it is."""
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
    """A star table's query over its raw tables, with the steps and histories that it reads."""

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
        """The raw column of which a column is a copy, blanks around texts aside; None if none."""
        return self._origin(self._root, _names(self._root).index(column.lower()))

    def is_nullable(self, column: str) -> bool:
        """Whether a column may be NULL."""
        return self._is_nullable(self._root, _names(self._root).index(column.lower()))

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Columns that tell the rows apart, in lower case; empty if the SQL doesn't show any."""
        return tuple(sorted(self._key(self._root) or (), key=_names(self._root).index))

    @cached_property
    def equal(self) -> frozenset[frozenset[RawColumn]]:
        """The pairs of raw columns that joins compare."""
        pairs = set()
        for scope in self._root.traverse():
            for one, other in _equations(scope):
                origins = self._origin_of(scope, one), self._origin_of(scope, other)
                pairs.add(frozenset(filter(None, origins)))
        return frozenset(pairs)

    @cached_property
    def sorted_by(self) -> tuple[str, ...]:
        """The columns of `order by`, in lower case, up to the first that isn't a column."""
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
        """That of a raw table."""
        is_raw = isinstance(source, exp.Table) and source.db == "raw"
        return self._raw[source.name.lower()] if is_raw else None  # type: ignore[attr-defined]

    def _is_nullable(self, scope: Scope, place: int) -> bool:
        if scope.set_operation_scopes:
            return any(self._is_nullable(part, place) for part in scope.set_operation_scopes)
        return self._may_be_null(scope, _query(scope).selects[place].unalias())

    def _may_be_null(self, scope: Scope, value: exp.Expr) -> bool:  # noqa: PLR0911 - a rule each
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
        if (column.table, column.name) in _required(scope):
            return False
        if column.table in _optional(scope):
            return True
        source = scope.sources.get(column.table)
        if isinstance(source, Scope) and column.name in _names(source):
            return self._is_nullable(source, _names(source).index(column.name))
        contract = self._contract(source)
        nullable = {c.name.lower(): c.nullable for c in contract.columns} if contract else {}
        return nullable.get(column.name.lower(), True)

    def _key(self, scope: Scope) -> set[str] | None:
        """The columns of a query that tell its rows apart; None if that isn't sure."""
        query = _query(scope)
        if scope.set_operation_scopes or any(
            each.find(exp.Unnest, exp.Explode) for each in query.selects
        ):
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
        keys = {alias: self._key_of_source(scope, alias) for alias in _aliases(scope)}
        if not keys or any(key is None for key in keys.values()):
            return None
        outputs = {
            (column.table, column.name): select.alias_or_name
            for select in reversed(query.selects)
            if isinstance(column := select.unalias(), exp.Column)
        }
        found = set()
        for attribute in {each for alias in _roots(scope, keys) for each in keys[alias] or ()}:
            same = [attribute, *_same(scope, attribute)]
            output = next((outputs[each] for each in same if each in outputs), None)
            if output is None:
                return None
            found.add(output)
        return found

    def _key_of_source(self, scope: Scope, alias: str) -> set[Attribute] | None:
        source = scope.sources.get(alias)
        if isinstance(source, Scope):
            key = self._key(source)
        else:
            contract = self._contract(source)
            key = {name.lower() for name in contract.key} if contract else None
        return {(alias, name) for name in key} if key else None


def _query(scope: Scope) -> exp.Query:
    """The query of a scope, which sqlglot's types don't tell from other expressions."""
    query = scope.expression
    if not isinstance(query, exp.Query):
        raise TypeError(f"not a query: {query.sql(DIALECT)}")
    return query


def _names(scope: Scope) -> list[str]:
    """The columns that a query returns."""
    return _query(scope).named_selects


def _aliases(scope: Scope) -> list[str]:
    """The sources of a query, in their order."""
    from_ = scope.expression.args.get("from_")
    joins = scope.expression.args.get("joins") or []
    return [part.alias_or_name for part in [from_, *joins] if part]


def _optional(scope: Scope) -> set[str]:
    """The sources whose columns are NULL where an outer join finds no row."""
    found: set[str] = set()
    before: list[str] = _aliases(scope)[:1]
    for join in scope.expression.args.get("joins") or []:
        if join.side in {"LEFT", "FULL"}:
            found.add(join.alias_or_name)
        if join.side in {"RIGHT", "FULL"}:
            found |= set(before)
        before.append(join.alias_or_name)
    return found


def _required(scope: Scope) -> set[Attribute]:
    """The columns that the filter wants not to be NULL."""
    where = scope.expression.args.get("where")
    return {
        (column.table, column.name)
        for part in _conditions(where.this if where else None)
        for column in _compared(part)
        if isinstance(column, exp.Column)
    }


def _compared(condition: exp.Expr) -> list[exp.Expr]:
    """What can't be NULL where a condition holds."""
    if isinstance(condition, exp.Not) and isinstance(condition.this, exp.Is):
        return [condition.this.this] if isinstance(condition.this.expression, exp.Null) else []
    if isinstance(condition, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return [condition.this, condition.expression]
    return []


def _conditions(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that all hold."""
    if condition is not None:
        yield from condition.flatten() if isinstance(condition, exp.And) else [condition]


def _equations(scope: Scope) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The two sides of each equation that joins and the filter ask for."""
    where = scope.expression.args.get("where")
    conditions = [join.args.get("on") for join in scope.expression.args.get("joins") or []]
    for condition in [*conditions, where.this if where else None]:
        for part in _conditions(condition):
            if isinstance(part, exp.EQ):
                yield part.left, part.right


def _roots(scope: Scope, keys: Mapping[str, Collection[Attribute] | None]) -> list[str]:
    """The sources without whose rows those of the others aren't determined."""
    optional = _optional(scope)
    roots = list(keys)
    for alias in reversed(list(keys)):
        others = [each for each in roots if each != alias]
        # A row of an optional source may be missing, and then it determines nothing
        known = others if alias in optional else [each for each in others if each not in optional]
        if alias in _determined(scope, keys, known):
            roots = others
    return roots


def _determined(
    scope: Scope, keys: Mapping[str, Collection[Attribute] | None], known: Sequence[str]
) -> set[str]:
    """The sources of which each row of the known ones finds one row at most."""
    found = set(known)
    sides = [pair for each in _equations(scope) for pair in (each, each[::-1])]
    while True:
        given = {
            (one.table, one.name)
            for one, other in sides
            if isinstance(one, exp.Column)
            and found.issuperset(column.table for column in other.find_all(exp.Column))
        }
        more = {alias for alias, key in keys.items() if key and given.issuperset(key)} - found
        if not more:
            return found
        found |= more


def _same(scope: Scope, attribute: Attribute) -> Iterator[Attribute]:
    """The attributes that a join makes equal to one, in every row."""
    optional = _optional(scope)
    for sides in _equations(scope):
        for one, other in (sides, sides[::-1]):
            if isinstance(one, exp.Column) and isinstance(other, exp.Column):
                pair = (one.table, one.name), (other.table, other.name)
                if pair[0] == attribute and optional.isdisjoint({one.table, other.table}):
                    yield pair[1]
