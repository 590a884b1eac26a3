"""Finds questions, and cells of the notebook, that ask for what the star doesn't have."""

import ast
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import shorten

from starschema_assets.analytics.answer import QueryError
from starschema_assets.analytics.query import questions, read
from starschema_assets.contract import Contract
from starschema_assets.errors import did_you_mean
from starschema_assets.star.verification import EmptyTables

MAX_TEXT = 60
"""Characters of a query that are shown."""
NOTEBOOK = Path(__file__).with_name("sales_report.ipynb")


def faults_of_analytics(star: Sequence[Contract]) -> Iterator[str]:
    """One line for each question and each cell that the star can't answer."""
    names = [contract.table for contract in star]
    with EmptyTables(star) as tables:
        for name, file in questions().items():
            if fault := tables.fault_of(file.read_text(encoding="utf-8")):
                yield f"analytics/questions/{name}.sql: {fault}"
        for call, asked in _calls():
            where = f'{NOTEBOOK.name}: {call}("{shorten(asked, MAX_TEXT)}")'
            if call == "sample" and asked not in names:
                yield f"{where}: {no_table(asked, names)}"
            elif call == "ask":
                try:
                    fault = tables.fault_of(read(asked))
                except QueryError as error:
                    fault = str(error)
                if fault:
                    yield f"{where}: {fault}"


def no_table(table: str, names: Sequence[str]) -> str:
    """What is said about a table that the star doesn't have."""
    there_are = ", ".join(names)
    return f"the star has no table {table}; there are: {there_are}{did_you_mean(table, names)}"


def _calls() -> Iterator[tuple[str, str]]:
    """The methods that the notebook calls with a text, with that text."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        code = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
        with suppress(SyntaxError):  # a cell may hold what is Jupyter's, not Python's
            for node in ast.walk(ast.parse(code)):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr=call), args=[ast.Constant(value=str(asked)), *_]
                    ):
                        yield call, asked
