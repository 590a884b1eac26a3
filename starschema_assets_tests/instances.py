"""Dagster instances on disk, as the checkout's own `dagster.yaml` makes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dagster import DagsterInstance


@contextmanager
def instance_in(home: str | os.PathLike[str]) -> Iterator[DagsterInstance]:
    """The instance of a Dagster home; its event log looks for the home in DAGSTER_HOME."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(Path(home)))
        with DagsterInstance.from_config(str(home)) as instance:
            yield instance
