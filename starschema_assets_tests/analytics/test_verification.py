"""Tests for errors that `make check` finds in queries and notebook."""

import json
from pathlib import Path

import pytest

from starschema_assets.analytics import query, verification
from starschema_assets.analytics.answer import QueryError
from starschema_assets.analytics.notebook import Star
from starschema_assets.analytics.verification import faults_of_analytics
from starschema_assets.contract import Column, Contract
from starschema_assets.star.models import MODELS

SALES = Contract(
    "star", "sales", "one row per sale", "Sales.", ("id",), (Column("id", "int", "Number."),)
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for queries, and a notebook without cells."""
    monkeypatch.setattr(query, "QUESTIONS", tmp_path)
    monkeypatch.setattr(verification, "NOTEBOOK", tmp_path / "report.ipynb")
    _write(tmp_path)
    return tmp_path


def _write(folder: Path, *cells: str) -> None:
    notebook = {"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}
    (folder / "report.ipynb").write_text(json.dumps(notebook))


def test_a_question_about_a_table_that_is_gone_is_told(folder: Path) -> None:
    (folder / "old.sql").write_text("-- How many.\nselect count(*) as n from fact_orders")
    (folder / "wrong.sql").write_text("select no from sales")
    (folder / "good.sql").write_text("select count(id) as n from sales")
    assert [fault.partition(" Error")[0] for fault in faults_of_analytics([SALES])] == [
        "analytics/questions/old.sql: line 2: Catalog",
        "analytics/questions/wrong.sql: line 1: Binder",
    ]


def test_a_cell_that_asks_for_what_is_gone_is_told(folder: Path) -> None:
    (folder / "good.sql").write_text("select count(id) as n from sales")
    _write(
        folder,
        "%load_ext other",
        'star.ask("good")',
        'star.sample("sales")',
        'star.sample("sale")',
        'star.ask("how_many")',
        'star.ask("select 1 from buyers")',
    )
    assert list(faults_of_analytics([SALES])) == [
        (
            'report.ipynb: sample("sale"): the star has no table sale; its tables: sales; '
            "did you mean sales?"
        ),
        (
            "report.ipynb: ask(\"how_many\"): 'how_many' is neither SQL nor the name of a query: "
            "give SQL, @file or a name; there are: good"
        ),
        (
            'report.ipynb: ask("select 1 from buyers"): line 1: Catalog Error: Table with '
            'name buyers does not exist! Did you mean "sales"?'
        ),
    ]


def test_a_sample_of_a_table_that_is_gone_names_those_that_there_are() -> None:
    tables = ", ".join(model.contract.table for model in reversed(MODELS))
    with pytest.raises(QueryError, match=rf"^the star has no table buyers; its tables: {tables}"):
        Star().sample("buyers")
