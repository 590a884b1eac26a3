"""What the job tells Dagster of its findings and publications, as messages of Dagster Pipes.

Pipes has messages of its own for asset checks; they lack a description, in which a check says
what it found.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from starschema_assets.checks import checks_of
from starschema_assets.contract import Contract
from starschema_assets.quality.audit import Description, as_json
from starschema_assets.quality.files import Finding

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """A table that the job published."""

    table: str
    uri: str
    description: Description


def finding_message(finding: Finding) -> Message:
    """A check's result."""
    fields = {name: getattr(finding, name) for name in _FINDING}
    return {"finding": as_json({"title": finding.title, **fields})}


def published_message(told: Told) -> Message:
    """A publication."""
    return {"published": as_json(asdict(told))}


END: Message = {"end": True}
"""The last word: nothing that the job told was lost on the way."""


def error_message(error: BaseException) -> Message:
    """Why the job failed."""
    return {"error": f"{type(error).__name__}: {error}"}


def findings_in(messages: Iterable[Message], contracts: Iterable[Contract]) -> Iterator[Finding]:
    """The findings that were told about tables of these contracts, in their order."""
    checks = {
        f"{contract.name}:{check.name}": (contract, check)
        for contract in contracts
        for check in checks_of(contract)
    }
    for message in messages:
        if "finding" in message:
            fields = dict(message["finding"])
            contract, check = checks[fields.pop("title")]
            yield Finding(contract, check, **fields)


def published_in(messages: Iterable[Message]) -> Iterator[Told]:
    """The publications that were told, in their order."""
    for message in messages:
        if "published" in message:
            fields = dict(message["published"])
            yield Told(**fields | {"description": Description(**fields["description"])})


def error_in(messages: Iterable[Message]) -> str | None:
    """Why the job failed, if it did and could still tell."""
    return next((message["error"] for message in messages if "error" in message), None)


_FINDING = ("passed", "message", "offending_rows", "examples", "warning", "final")
"""The fields of a finding beside its contract and check, which its title names."""
