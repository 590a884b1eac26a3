"""Fixtures that run the star's SQL on raw tables that a test fills."""

from collections.abc import Callable, Mapping

import pytest

from starschema_assets.star.models import MODELS
from starschema_assets_tests.rows import RawTables

Rows = list[Mapping[str, object]]


@pytest.fixture
def raw() -> RawTables:
    """Empty raw tables."""
    return RawTables()


@pytest.fixture
def made(raw: RawTables) -> Callable[[str], Rows]:
    """Builds a star table from the raw tables and returns its rows in the order of the SQL."""

    def make(table: str) -> Rows:
        model = next(model for model in MODELS if model.contract.table == table)
        for each in (*model.read_histories, model):
            for step, sql in each.steps.items():
                raw.connection.execute(f"create or replace view star.{step} as {sql}")
            if each.contract.dimension:
                raw.connection.execute(
                    f"create or replace view star.{each.contract.table} as {each.sql}"
                )
        result = raw.connection.sql(model.sql)
        return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]

    return make
