"""The base class of this project's errors, and helpers for their messages."""

from collections.abc import Collection
from difflib import get_close_matches


class StarschemaError(Exception):
    """An error whose message says what is wrong and what to do. It contains no secrets."""


def told(error: BaseException) -> str:
    """Return an error's message and notes as one text."""
    return "; ".join([str(error), *getattr(error, "__notes__", [])])


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return a suggestion for a misspelled word, to append to a message, or ''."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
