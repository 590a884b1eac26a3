"""The tables under audit, whichever engine holds them."""

from collections.abc import Sequence
from typing import Any, Protocol

Answer = tuple[Sequence[str], Sequence[tuple[Any, ...]]]
"""The columns of a query, and its rows."""


class Tables(Protocol):
    """Tables that stand under their asset paths, e.g. `star.sales`."""

    def fetch(self, query: str) -> Answer:
        """Answer a query that is written in DuckDB's SQL."""

    def suspects(self, table: str, key: Sequence[str]) -> str:
        """A condition that all rows meet whose key another row has, and few others if it can be."""
