"""Functions for notebooks that query the star; results are displayed as tables and charts.

Results are HTML that loads nothing from the network, so the report shows the same as JupyterLab.
"""

from dataclasses import dataclass
from html import escape

import pandas as pd
import pyarrow as pa

from starschema_assets.analytics.answer import QueryError
from starschema_assets.analytics.charts.answers import CHARTS
from starschema_assets.analytics.charts.cube import QUESTION, cube_of
from starschema_assets.analytics.charts.tables import html_table
from starschema_assets.analytics.charts.theme import page_head
from starschema_assets.analytics.query import query, read
from starschema_assets.analytics.verification import no_table
from starschema_assets.analytics.widgets import Dashboard
from starschema_assets.contract import Contract
from starschema_assets.engine import literal
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS


@dataclass(frozen=True)
class Html:
    """HTML that Jupyter displays."""

    text: str

    def _repr_html_(self) -> str:
        return f'<div class="sales">{self.text}</div>'


@dataclass(frozen=True)
class Asked:
    """A query with its result, displayed as a chart, a table and the SQL."""

    question: str
    sql: str
    table: pa.Table

    @property
    def frame(self) -> pd.DataFrame:
        """The result in pandas; Arrow's types keep money exact."""
        return self.table.to_pandas(types_mapper=pd.ArrowDtype)

    def _repr_html_(self) -> str:
        rows = self.table.to_pylist()
        table = html_table(rows)
        if self.question in CHARTS:
            table = f'<div class="beside">{CHARTS[self.question](rows)}{table}</div>'
        sql = f"<details><summary>SQL</summary><pre>{escape(self.sql)}</pre></details>"
        return Html(table + sql)._repr_html_()


class Star:
    """The star's tables, in Athena or in the embedded catalog, depending on the settings."""

    def __init__(self) -> None:
        """Read the settings. No query runs yet."""
        self.settings = Settings()

    def _repr_html_(self) -> str:
        settings = self.settings
        where = (
            f"Athena, database {settings.glue_database}, workgroup {settings.athena_workgroup}"
            if settings.glue_database
            else "the embedded catalog (DuckDB)"
        )
        return f"{page_head()}{Html(f'<p class=source>Source: {escape(where)}.</p>')._repr_html_()}"

    def ask(self, question: str) -> Asked:
        """Run SQL, or one of the project's queries by its name. Raises QueryError."""
        sql = read(question)
        return Asked(question, sql, query(sql, self.settings).table)

    def tables(self) -> Html:
        """Return an overview of all tables: grain, row count, key and description."""
        counts = " union all ".join(
            f"select {literal(contract.table)} as name, count(*) as n from {contract.table}"
            for contract in _contracts()
        )
        found = {row["name"]: row["n"] for row in query(counts, self.settings).table.to_pylist()}
        return Html(
            html_table(
                [
                    {
                        "table": contract.table,
                        "oneRowPer": contract.grain.removeprefix("one row per "),
                        "rows": found[contract.table],
                        "key": ", ".join(contract.key),
                        "description": contract.description,
                    }
                    for contract in _contracts()
                ]
            )
        )

    def joins(self) -> Html:
        """Return all foreign keys: the columns to join by."""
        keys = {contract.table: contract.key for contract in _contracts()}
        return Html(
            html_table(
                [
                    {"from": _columns(contract.table, key.columns), "to": _columns(to, keys[to])}
                    for contract in _contracts()
                    for key in contract.foreign_keys
                    for to in (key.references,)
                ]
            )
        )

    def sample(self, table: str, rows: int = 3) -> Html:
        """Return a few rows of a table, without personal columns. Raises QueryError."""
        contracts = {contract.table: contract for contract in _contracts()}
        if table not in contracts:
            raise QueryError(no_table(table, list(contracts)))
        contract = contracts[table]
        shown = [column.name for column in contract.columns if not column.personal]
        order = ", ".join(contract.key)
        sql = f"select {', '.join(shown)} from {table} order by {order} limit {rows}"
        return Html(html_table(query(sql, self.settings).table.to_pylist()))

    def dashboard(self) -> Dashboard:
        """Return the dashboard: all sales, with filters for country, product line and months."""
        return Dashboard(cube_of(self.ask(QUESTION).table.to_pylist()))


def _contracts() -> list[Contract]:
    """Return the contracts of the star, the fact first."""
    return [model.contract for model in MODELS][::-1]


def _columns(table: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)
