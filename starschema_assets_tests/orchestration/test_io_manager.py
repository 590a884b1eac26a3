"""The IO manager publishes what assets return and loads inputs in their annotated type."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster import (
    AssetIn,
    AssetsDefinition,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    asset,
)

from starschema_assets.lake.lake import open_lake
from starschema_assets.resources import LakeIOManager
from starschema_assets.settings import Settings

PAYMENTS = pa.table(
    {
        "number": pa.array([1, 2], pa.int32()),
        "city": ["Nantes", "Bergen"],
        "amount": pa.array([Decimal("0.10"), Decimal("12345678.91")], pa.decimal128(10, 2)),
        "day": [date(2024, 2, 29), None],
        "remark": [None, "a | b"],
    }
)
PAYMENTS_IN = {"payments": AssetIn(key=["raw", "payments"])}


@asset(key=["raw", "payments"])
def payments_asset() -> pa.Table:
    """Two payments."""
    return PAYMENTS


class Project:
    """A lake with raw/payments, to which tests add assets."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(lake_uri=str(folder / "lake"), scratch=folder / "scratch")
        self.io_manager = LakeIOManager(open_lake(settings), settings, ())
        self.instance = DagsterInstance.ephemeral()
        self.file = folder / "lake/star/dim_offices/dim_offices.parquet"

    def materialize(self, added: AssetsDefinition) -> ExecuteInProcessResult:
        """Materialize one asset like the UI."""
        assets = {payments_asset.key: payments_asset, added.key: added}
        definitions = Definitions(
            assets=list(assets.values()), resources={"io_manager": self.io_manager}
        )
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[added.key], instance=self.instance, raise_on_error=False
        )

    def error(self, added: AssetsDefinition) -> str:
        """Materialize an asset that fails, and return its chain of errors as text."""
        (step,) = self.materialize(added).get_step_failure_events()
        assert step.step_failure_data.error
        return step.step_failure_data.error.to_string()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A lake with raw/payments."""
    project = Project(tmp_path)
    assert project.materialize(payments_asset).success
    return project


def dim_offices(make: Callable[[], Any]) -> AssetsDefinition:
    """Return the asset star/dim_offices, which returns the result of `make`."""

    @asset(key=["star", "dim_offices"], name=None)
    def offices() -> Any:
        return make()

    return offices


def test_an_asset_in_plain_pandas_is_published_with_exact_types(project: Project) -> None:
    @asset(key=["star", "dim_offices"], ins=PAYMENTS_IN)
    def offices(payments: pd.DataFrame) -> pd.DataFrame:
        """One row per payment."""
        payments["doubled"] = payments["amount"] + payments["amount"]
        return payments.sort_values("city")

    run = project.materialize(offices)
    assert run.success
    table = pq.read_table(project.file)
    assert {field.name: field.type for field in table.schema} == {
        "number": pa.int32(),
        "city": pa.string(),
        "amount": pa.decimal128(10, 2),
        "day": pa.date32(),
        "remark": pa.string(),
        "doubled": pa.decimal128(11, 2),
    }
    assert table["doubled"].to_pylist() == [Decimal("24691357.82"), Decimal("0.20")]
    (event,) = run.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["dagster/row_count"].value == 2
    assert metadata["dagster/uri"].value == str(project.file)


@pytest.mark.parametrize(
    "annotation", [pd.DataFrame, pa.Table, pa.RecordBatchReader, duckdb.DuckDBPyRelation, Any]
)
def test_a_reader_gets_what_its_input_is_annotated_with(project: Project, annotation: Any) -> None:
    taken: list[object] = []

    @asset(key=["star", "dim_offices"], ins=PAYMENTS_IN)
    def offices(payments: annotation) -> annotation:
        taken.append(payments)
        return payments

    assert project.materialize(offices).success
    expected = duckdb.DuckDBPyRelation if annotation is Any else annotation
    assert isinstance(taken[0], expected)
    assert pq.read_table(project.file).to_pylist() == PAYMENTS.to_pylist()


def test_pandas_own_types_are_published_in_types_that_athena_has(project: Project) -> None:
    frame = pd.DataFrame(
        {
            "largest": pd.Series([2**64 - 1, 0], dtype="uint64"),
            "price": [Decimal("1.50"), None],
            "seen": pd.to_datetime(["2024-02-29 12:00:00.123456", "NaT"], utc=True),
            "kind": pd.Series(["a", "b"], dtype="category"),
        }
    ).set_index(pd.Index([7, 8]))
    assert project.materialize(dim_offices(lambda: frame)).success
    table = pq.read_table(project.file)
    assert {field.name: field.type for field in table.schema} == {
        "largest": pa.decimal128(20, 0),
        "price": pa.decimal128(3, 2),
        "seen": pa.timestamp("us"),
        "kind": pa.string(),
    }
    assert table["largest"][0].as_py() == 2**64 - 1


NOTHING = pd.DataFrame({"city": ["Nantes"], "manager": [None]})
BAD: dict[str, tuple[Any, str]] = {
    "a column of nothing but NULL": (NOTHING, "column 'manager' is null: its type is unknown"),
    "a column of numbers and text": (
        pd.DataFrame({"city": ["Nantes", "Bergen"], "manager": [1, "Mme Lefèvre"]}),
        "Could not convert 'Mme Lefèvre' .* for column manager",
    ),
    "a column of dictionaries": (
        pd.DataFrame({"manager": [{"name": "Lefèvre"}]}),
        "the lake's tables are flat",
    ),
    "two columns that differ in case": (
        pd.DataFrame({"city": ["Nantes"], "City": ["Nantes"]}),
        "Athena ignores case",
    ),
    "a dictionary": ({"city": ["Nantes"]}, "the asset returned dict; it must return a DuckDB"),
    "nothing": (None, "the asset returned NoneType"),
}


@pytest.mark.parametrize(("bad", "told"), BAD.values(), ids=BAD.keys())
def test_what_can_not_be_published_is_named_and_the_published_file_stays(
    project: Project, bad: Any, told: str
) -> None:
    good = pd.DataFrame({"city": ["Nantes"]})
    assert project.materialize(dim_offices(lambda: good)).success
    before = project.file.read_bytes()
    error = project.error(dim_offices(lambda: bad))
    assert re.search(rf"star/dim_offices: .*{told}", error)
    assert project.file.read_bytes() == before
    assert [f.name for f in project.file.parent.iterdir()] == [project.file.name]
