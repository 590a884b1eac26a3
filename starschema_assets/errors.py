"""The errors of this project, whose messages say all that their reader needs."""


class StarschemaError(Exception):
    """The message says what is wrong and what to do, without a secret and without a stack trace."""


def told(error: BaseException) -> str:
    """An error as one line: what it says, and where it happened if that was added."""
    return "; ".join([str(error), *getattr(error, "__notes__", [])])
