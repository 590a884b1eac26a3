"""Finds queries and notebook cells that use tables or columns which the star doesn't have."""

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
"""Maximum length of a query in a message."""
NOTEBOOK = Path(__file__).with_name("sales_report.ipynb")


def faults_of_analytics(star: Sequence[Contract]) -> Iterator[str]:
    """Yield one message for each query and each notebook cell that doesn't fit the star."""
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
    """Return the message about a table that the star doesn't have."""
    there_are = ", ".join(names)
    return f"the star has no table {table}; its tables: {there_are}{did_you_mean(table, names)}"


def _calls() -> Iterator[tuple[str, str]]:
    """Yield the names of methods that the notebook calls with a string, and the string."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        code = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
        with suppress(SyntaxError):  # a cell may contain Jupyter commands
            for node in ast.walk(ast.parse(code)):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr=call), args=[ast.Constant(value=str(asked)), *_]
                    ):
                        yield call, asked
