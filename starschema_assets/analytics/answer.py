"""The result of a query."""

from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from starschema_assets.errors import StarschemaError


class QueryError(StarschemaError):
    """The query failed. The message contains the cause, from the engine if it gives one."""


@dataclass(frozen=True)
class Answer:
    """The rows of a result, with the time and cost of the query."""

    table: pa.Table
    seconds: float
    """Execution time of the engine, without the wait in a queue and the transfer of the rows."""
    scanned: int | None = None
    """Bytes that Athena read; None in the embedded catalog."""
    cost: Decimal | None = None
    """Athena's price in USD; None in the embedded catalog."""
