"""How a step of Dagster's fails where this project knows why."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Failure

from starschema_assets.errors import StarschemaError, told


@contextmanager
def clear_failure() -> Iterator[None]:
    """Raise Failure for an error of this project: the UI shows its message above stack traces."""
    try:
        yield
    except StarschemaError as error:
        raise Failure(told(error), allow_retries=False) from error
