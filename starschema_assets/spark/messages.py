"""Messages from the Spark job to Dagster about findings and published tables.

They are custom messages of Dagster Pipes. Its built-in messages for asset checks have no field for
a description of the result.
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
    """Return the message for a check's result."""
    fields = {name: getattr(finding, name) for name in _FINDING}
    return {"finding": as_json({"title": finding.title, **fields})}


def published_message(told: Told) -> Message:
    """Return the message for a published table."""
    return {"published": as_json(asdict(told))}


END: Message = {"end": True}
"""The last message. If it arrives, no message was lost."""


def error_message(error: BaseException) -> Message:
    """Return the message for the error that ended the job."""
    return {"error": f"{type(error).__name__}: {error}"}


def findings_in(messages: Iterable[Message], contracts: Iterable[Contract]) -> Iterator[Finding]:
    """Yield the findings in the messages. `contracts` must include all of their tables."""
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
    """Yield the published tables in the messages."""
    for message in messages:
        if "published" in message:
            fields = dict(message["published"])
            yield Told(**fields | {"description": Description(**fields["description"])})


def error_in(messages: Iterable[Message]) -> str | None:
    """Return the error in the messages, or None if the job sent none."""
    return next((message["error"] for message in messages if "error" in message), None)


_FINDING = ("passed", "message", "offending_rows", "examples", "warning", "final")
"""The fields of a finding except its contract and check, which its title identifies."""
