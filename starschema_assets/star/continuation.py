"""Decides how a history continues on the day of a snapshot, or why it can't."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from starschema_assets.contract import Contract
from starschema_assets.errors import StarschemaError
from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.lake.lake import Lake, mapping_of, taken_at
from starschema_assets.lake.parquet import Footer, digest_of, read_footer
from starschema_assets.model import Model
from starschema_assets.quality.files import types_of
from starschema_assets.versions import first_sql, next_sql, tracked_names

Rebuilt = Mapping[str, Path]
"""The file of each history that was rebuilt, up to the day before that of the raw tables."""


class HistoryRefused(StarschemaError):  # noqa: N818 - reads as what happened
    """A history can't continue from the published one, or not with this snapshot."""


@dataclass(frozen=True)
class Continuation:
    """How one run continues a history."""

    contract: Contract
    day: date
    """The day of the snapshot, in the time zone of STARSCHEMA_HISTORY_TIMEZONE."""
    previous: Footer | None
    """The history to continue: published or rebuilt. None if a new one starts."""
    replaced: Footer | None
    """The published history that a rebuilt one replaces."""
    trace: str
    """Evidence of a lost history, if there is none to continue; empty if there is none."""
    sources: Sequence[str]
    """The databases of today's values."""

    @property
    def stored(self) -> Sequence[str]:
        """The columns of the history to continue."""
        return self.previous.schema.names if self.previous else []

    @property
    def filled(self) -> Mapping[str, str]:
        """The day on which each tracked column was added, if it was added later."""
        if self.previous is None:
            return {}
        recorded = mapping_of(self.previous.metadata, "filled")
        added = {name: str(self.day) for name in tracked_names(self.contract)}
        return {
            name: recorded.get(name, day)
            for name, day in added.items()
            if name in recorded or name not in self.stored
        }

    @property
    def sql(self) -> Callable[[str], str]:
        """Return the query for the rows whose key meets a condition."""
        if self.previous is None:
            first = first_sql(self.contract, f"date '{self.day}'")
            return lambda part: first if part == "true" else f"select * from ({first}) where {part}"
        filled = [name for name, day in self.filled.items() if day == str(self.day)]
        return lambda part: next_sql(self.contract, self.day, self.stored, filled, part)

    @property
    def entries(self) -> dict[str, str]:
        """The entries for the metadata of the file."""
        return {
            "sources": json.dumps(self.sources),
            "day": str(self.day),
            "filled": json.dumps(self.filled),
        }


def continuation(  # noqa: PLR0913 - the last by name
    model: Model,
    lake: Lake,
    raw: Mapping[str, Footer],
    models: Sequence[Model],
    timezone: str,
    *,
    rebuilt: Rebuilt | None,
) -> Continuation:
    """Decide how the history continues with these raw tables.

    `models` are those of the whole star. The history continues from the published one, unless the
    histories were rebuilt. Raises HistoryRefused.
    """
    contract = model.contract
    day = day_of(model, raw, timezone)
    made_of = [raw[table] for table in model.raw_tables]
    sources = sorted({footer.metadata.get("source", "") for footer in made_of} - {""})
    published, trace = None, ""
    try:
        published = lake.footer(contract.path)
    except (NotPublished, Unreadable) as error:
        trace = _trace(contract, lake, models, error)
    else:
        _verify_contract(contract, published)
    previous, replaced = published, None
    if rebuilt is not None:
        previous = read_footer(rebuilt[contract.table]) if contract.table in rebuilt else None
        replaced = published
    elif published:
        _verify_rows(contract, lake, published)
    for history in filter(None, (replaced, previous)):
        _verify_source(contract, history, made_of)
    if previous:
        _verify_order(contract, previous, raw, day)
        trace = ""
    return Continuation(contract, day, previous, replaced, trace, sources)


def day_of(model: Model, raw: Mapping[str, Footer], timezone: str) -> date:
    """Return the day of the snapshot that the history is built from. Raises HistoryRefused."""
    try:
        moment = max(
            taken_at(raw[table].metadata.get("snapshot", "")) for table in model.raw_tables
        )
    except ValueError as error:
        raise HistoryRefused(
            f"{model.contract.name}: {', '.join(model.raw_tables)} have no time of their snapshot: "
            "materialize them again"
        ) from error
    return moment.astimezone(ZoneInfo(timezone)).date()


def verify_same_snapshots(
    contract: Contract, history: Contract, published: Footer, lake: Lake
) -> None:
    """Raise HistoryRefused if a published history is of another snapshot than the raw tables."""
    for table, of_history in mapping_of(published.metadata, "raw_snapshots").items():
        of_raw = lake.footer(("raw", table)).metadata.get("snapshot")
        if of_raw != of_history:
            raise HistoryRefused(
                f"{contract.name} would be built from {history.name}, which has raw/{table} of "
                f"snapshot {of_history}, while raw/{table} is of snapshot {of_raw}: materialize "
                f"{history.name} with it"
            )


def _trace(contract: Contract, lake: Lake, models: Sequence[Model], error: Exception) -> str:
    """Return the evidence of a published history that is missing now; empty if there is none."""
    if isinstance(error, Unreadable):
        return str(error)
    if next(iter(lake.versions(contract.path)), None):
        return f"earlier versions of {contract.name} are kept, but the current one is missing"
    for user in (model.contract for model in models):
        versions = {
            key.columns[-1] for key in user.foreign_keys if key.references == contract.table
        }
        try:
            published = lake.footer(user.path)
        except (NotPublished, Unreadable):
            continue
        if found := versions.intersection(published.schema.names):
            return f"{user.name} has {', '.join(found)}, but {contract.name} is missing"
    return ""


def _verify_contract(contract: Contract, previous: Footer) -> None:
    stored = types_of(previous.schema)
    tracked = tracked_names(contract)
    for column in contract.columns:
        if column.name not in stored and column.name in tracked:
            continue
        if stored.get(column.name) != column.type:
            raise HistoryRefused(
                f"{contract.name}: {column.name} is {stored.get(column.name, 'missing')} in the "
                f"published history and {column.type} in the contract. Only tracked columns may be "
                "added or dropped: change the contract back"
            )


def _verify_rows(contract: Contract, lake: Lake, previous: Footer) -> None:
    if digest_of(lake.fetch(contract.path)) != previous.metadata.get("digest"):
        raise HistoryRefused(
            f"{contract.name}: the rows of {lake.uri(contract.path)} differ from those that were "
            "published, so the file was changed: restore it from a copy"
        )


def _verify_source(contract: Contract, previous: Footer, raw: Sequence[Footer]) -> None:
    known = {footer.metadata.get("source", "") for footer in raw}
    known |= {s for f in raw for s in json.loads(f.metadata.get("former_sources", "[]"))}
    others = sorted(set(json.loads(previous.metadata.get("sources", "[]"))) - known)
    if others:
        raise HistoryRefused(
            f"{contract.name}: the published history comes from {', '.join(others)}, but the raw "
            f"tables come from {', '.join(sorted(known - {''}))}: check STARSCHEMA_LAKE_URI"
        )


def _verify_order(
    contract: Contract, previous: Footer, raw: Mapping[str, Footer], day: date
) -> None:
    for table, of_history in mapping_of(previous.metadata, "raw_snapshots").items():
        snapshot = raw[table].metadata["snapshot"] if table in raw else of_history
        if snapshot < of_history:
            raise HistoryRefused(
                f"{contract.name}: raw/{table} is of snapshot {snapshot}, but the published "
                f"history is of the later snapshot {of_history}: materialize raw/{table} again, "
                "and check that the clock was not set back"
            )
    if str(day) < previous.metadata.get("day", ""):
        raise HistoryRefused(
            f"{contract.name}: the snapshot is of {day}, but the published history is of the later "
            f"day {previous.metadata['day']}: check STARSCHEMA_HISTORY_TIMEZONE and the clock"
        )
