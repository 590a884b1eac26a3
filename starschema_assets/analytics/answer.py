"""What comes back from a question."""

from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from starschema_assets.errors import StarschemaError


class QueryError(StarschemaError):
    """There is no answer; the message says why, in the engine's words where it has some."""


@dataclass(frozen=True)
class Answer:
    """The rows, and what it took to find them."""

    table: pa.Table
    seconds: float
    """Of the engine's time; waiting in a queue and fetching the rows come on top."""
    scanned: int | None = None
    """Bytes that Athena read; None where nobody is charged for them."""
    cost: Decimal | None = None
    """USD that Athena charges."""
