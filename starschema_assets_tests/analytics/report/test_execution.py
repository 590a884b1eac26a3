"""Tests for the execution of the notebook in a separate kernel."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from starschema_assets.analytics.charts.cube import QUESTION
from starschema_assets.analytics.query import questions
from starschema_assets.analytics.report.execution import NOTEBOOK, NotebookFailed, execute
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS


def _read(file: Path) -> Any:
    return nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]


def _notebook(file: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)  # type: ignore[no-untyped-call]
    return file


def test_no_output_is_committed() -> None:
    for cell in _read(NOTEBOOK).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_every_question_of_the_project_is_asked_by_its_name() -> None:
    code = "\n".join(cell.source for cell in _read(NOTEBOOK).cells if cell.cell_type == "code")
    for question in questions().keys() - {QUESTION}:  # the dashboard runs this query
        assert f'star.ask("{question}")' in code


def test_every_cell_runs_without_a_warning(settings: Settings) -> None:
    nb = execute(settings)
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    assert {output.output_type for output in outputs} == {"execute_result"}
    assert all("text/html" in output.data for output in outputs)
    assert len(outputs) == sum(cell.cell_type == "code" for cell in nb.cells)


def test_a_failed_cell_is_shown_with_what_it_raised(settings: Settings, tmp_path: Path) -> None:
    notebook = _notebook(tmp_path / "mine.ipynb", "1 + 1", "colour = {}['blue']")
    with pytest.raises(NotebookFailed, match=r"(?s)mine\.ipynb.*colour = .*KeyError: 'blue'"):
        execute(settings, notebook)


def test_the_kernel_knows_where_the_star_is_and_not_the_source(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STARSCHEMA_SOURCE_URL", "mysql+pymysql://reader:s3cr3t@db/classicmodels")
    code = "import os; {k: v for k, v in os.environ.items() if k.startswith('STARSCHEMA_')}"
    nb = execute(settings, _notebook(tmp_path / "mine.ipynb", code))
    told = nb.cells[0].outputs[0].data["text/plain"]
    assert str(settings.catalog) in told
    assert "s3cr3t" not in told


@pytest.mark.parametrize("question", questions())
def test_no_question_reads_a_personal_column(question: str) -> None:
    contracts = [model.contract for model in MODELS]
    personal = {c.name.lower() for contract in contracts for c in contract.columns if c.personal}
    schema: dict[str, object] = {
        contract.table: {column.name: column.type for column in contract.columns}
        for contract in contracts
    }
    sql = questions()[question].read_text(encoding="utf-8")
    tree = qualify(sqlglot.parse_one(sql, dialect="athena"), schema=schema, dialect="athena")
    used = {column.name.lower() for column in tree.find_all(exp.Column)}
    assert "comments" in personal
    assert not used & personal
