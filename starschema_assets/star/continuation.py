"""How a history goes on: from the published one, on the day of a snapshot, or why it can't."""

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
    """A history can't go on from what is published, or not with this snapshot."""


@dataclass(frozen=True)
class Continuation:
    """What a run adds to a history."""

    contract: Contract
    day: date
    """That of the snapshot, in the time zone of the setting."""
    previous: Footer | None
    """The published history, or one that was rebuilt; None if this one begins."""
    replaced: Footer | None
    """The published history that a rebuilt one takes the place of."""
    trace: str
    """What tells that there was a history, if there is none to go on from."""
    sources: Sequence[str]
    """The databases that today's values come from."""

    @property
    def stored(self) -> Sequence[str]:
        """The columns of the history that it goes on from."""
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
        """The query of the rows that meet a condition on the key."""
        if self.previous is None:
            first = first_sql(self.contract, f"date '{self.day}'")
            return lambda part: first if part == "true" else f"select * from ({first}) where {part}"
        filled = [name for name, day in self.filled.items() if day == str(self.day)]
        return lambda part: next_sql(self.contract, self.day, self.stored, filled, part)

    @property
    def entries(self) -> dict[str, str]:
        """What the file records of it."""
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
    """How the history goes on with these raw tables; `models` are those of the whole star.

    It goes on from the published one, unless the histories were rebuilt. Raises HistoryRefused.
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
    """The day of the snapshot that the history is made of. Raises HistoryRefused."""
    try:
        moment = max(
            taken_at(raw[table].metadata.get("snapshot", "")) for table in model.raw_tables
        )
    except ValueError as error:
        raise HistoryRefused(
            f"{model.contract.name}: {', '.join(model.raw_tables)} don't tell when their snapshot "
            "was taken: materialize them again"
        ) from error
    return moment.astimezone(ZoneInfo(timezone)).date()


def verify_same_snapshots(
    contract: Contract, history: Contract, published: Footer, lake: Lake
) -> None:
    """Raise HistoryRefused if a table would mix a published history with other raw tables."""
    for table, of_history in mapping_of(published.metadata, "raw_snapshots").items():
        of_raw = lake.footer(("raw", table)).metadata.get("snapshot")
        if of_raw != of_history:
            raise HistoryRefused(
                f"{contract.name} would be made with {history.name}, which is of raw/{table} of "
                f"snapshot {of_history}, while raw/{table} is of {of_raw}: materialize "
                f"{history.name} with it"
            )


def _trace(contract: Contract, lake: Lake, models: Sequence[Model], error: Exception) -> str:
    """What tells that a history was published that isn't there any more; empty if nothing does."""
    if isinstance(error, Unreadable):
        return str(error)
    if next(iter(lake.versions(contract.path)), None):
        return f"earlier versions of {contract.name} are kept, and the current one is gone"
    for user in (model.contract for model in models):
        versions = {
            key.columns[-1] for key in user.foreign_keys if key.references == contract.table
        }
        try:
            published = lake.footer(user.path)
        except (NotPublished, Unreadable):
            continue
        if found := versions.intersection(published.schema.names):
            return f"{user.name} has {', '.join(found)}, and {contract.name} is gone"
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
                f"published history and {column.type} in the contract. A history goes on only "
                "where tracked columns are added or dropped: change the contract back"
            )


def _verify_rows(contract: Contract, lake: Lake, previous: Footer) -> None:
    if digest_of(lake.fetch(contract.path)) != previous.metadata.get("digest"):
        raise HistoryRefused(
            f"{contract.name}: the rows of {lake.uri(contract.path)} aren't those that were "
            "published: someone changed the file. Restore it from a copy"
        )


def _verify_source(contract: Contract, previous: Footer, raw: Sequence[Footer]) -> None:
    known = {footer.metadata.get("source", "") for footer in raw}
    known |= {s for f in raw for s in json.loads(f.metadata.get("former_sources", "[]"))}
    others = sorted(set(json.loads(previous.metadata.get("sources", "[]"))) - known)
    if others:
        raise HistoryRefused(
            f"{contract.name}: the published history is of {', '.join(others)}, which the raw "
            f"tables never came from ({', '.join(sorted(known - {''}))}): check STARSCHEMA_LAKE_URI"
        )


def _verify_order(
    contract: Contract, previous: Footer, raw: Mapping[str, Footer], day: date
) -> None:
    for table, of_history in mapping_of(previous.metadata, "raw_snapshots").items():
        snapshot = raw[table].metadata["snapshot"] if table in raw else of_history
        if snapshot < of_history:
            raise HistoryRefused(
                f"{contract.name}: raw/{table} is of snapshot {snapshot}, older than "
                f"{of_history}, of which the published history is: materialize raw/{table} again, "
                "and see that the clock wasn't set back"
            )
    if str(day) < previous.metadata.get("day", ""):
        raise HistoryRefused(
            f"{contract.name}: the snapshot is of {day}, and the published history of "
            f"{previous.metadata['day']}, which is later: see STARSCHEMA_HISTORY_TIMEZONE"
        )
