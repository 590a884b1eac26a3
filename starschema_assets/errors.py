"""The errors of this project, whose messages say all that their reader needs."""

from collections.abc import Collection
from difflib import get_close_matches


class StarschemaError(Exception):
    """The message says what is wrong and what to do, without a secret and without a stack trace."""


def told(error: BaseException) -> str:
    """An error as one line: what it says, and where it happened if that was added."""
    return "; ".join([str(error), *getattr(error, "__notes__", [])])


def did_you_mean(word: str, known: Collection[str]) -> str:
    """What is added to a message about a word that is near to another one."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
