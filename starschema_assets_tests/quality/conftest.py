"""A small lake in which all tables pass their checks, until a test changes one of them."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.raw.extraction import RawAudit
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS, used_by
from starschema_assets.star.transformation import Transformation
from starschema_assets_tests.rows import RawTables

DAY = date(2024, 2, 29)


class GoodLake:
    """Publishes tables without an audit, so that a later audit finds their faults."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(lake_uri=str(folder / "lake"), scratch=folder / "scratch")
        self.lake: Lake = open_lake(self.settings)
        self.tables = RawTables()
        self.entries: dict[tuple[str, str], dict[str, str]] = {}
        self._fill_raw()
        histories: dict[str, str] = {}
        for model in sorted(MODELS, key=lambda model: model.contract.dimension is None):
            for step, sql in model.steps.items():
                self.sql(f"create or replace view star.{step} as {sql}")
            self.sql(f"create table star.{model.contract.table} as {model.sql}")
            self.entries[model.contract.path] = {
                "raw_snapshots": json.dumps(dict.fromkeys(model.raw_tables, "snapshot 1"))
            }
            if model.contract.dimension:
                self.entries[model.contract.path] |= {
                    "day": str(datetime.now(UTC).date()),
                    "digest": model.contract.table,
                }
                histories[model.contract.table] = model.contract.table
        self.entries["star", "fact_orders"]["histories"] = json.dumps(histories)
        figures = [["2024", "2", "5", "50.00"]]
        self.entries["star", "fact_orders"]["order_figures"] = json.dumps(figures)

    def sql(self, statement: str) -> None:
        """Run SQL that changes the tables raw.* and star.*."""
        self.tables.connection.execute(statement)

    def _fill_raw(self) -> None:
        raw = self.tables
        raw.add("customers", {"customerNumber": 1}, {"customerNumber": 2, "city": "Nantes"})
        raw.add("products", {"productCode": "S1"}, {"productCode": "S2"})
        raw.add("productlines", {"productLine": "x"})
        raw.add("employees", {})
        raw.add("offices", {})
        raw.add("payments", {})
        order = {"orderDate": DAY, "shippedDate": DAY, "status": "Shipped"}
        raw.add("orders", *({"orderNumber": n, "customerNumber": n} | order for n in (1, 2)))
        line = {"priceEach": Decimal("10.00"), "productCode": "S1"}
        raw.add("orderdetails", {"orderNumber": 1, "quantityOrdered": 2} | line)
        raw.add("orderdetails", {"orderNumber": 2, "quantityOrdered": 3} | line)
        for contract in CONTRACTS:
            ((rows,),) = raw.connection.sql(f"select count(*) from raw.{contract.table}").fetchall()
            self.entries[contract.path] = {
                "declared": json.dumps({c.name: c.type for c in contract.columns}),
                "source_rows": str(rows),
                "rows_before": str(rows),
                "nulled_dates": "{}",
                "snapshot": "snapshot 1",
            }

    def failures(self) -> dict[str, bool]:
        """Publish the tables. Return the failed checks, and for each whether it blocks."""
        with self.lake.lock("test", logging.getLogger()):
            for path, entries in self.entries.items():
                reader = self.tables.connection.sql(f"from {'.'.join(path)}").to_arrow_reader()
                staged = self.lake.stage(path, reader, "test", metadata=entries)
                self.lake.publish(staged)
        findings = [
            *RawAudit(self.settings, CONTRACTS, used_by()).published(self.lake),
            *Transformation(
                DuckDBEngine(self.lake.fetch, self.settings), self.lake, self.settings, MODELS
            ).findings(MODELS),
        ]
        self.findings = {finding.title: finding for finding in findings}
        assert len(self.findings) == len(findings)
        return {finding.title: finding.blocks for finding in findings if not finding.passed}


@pytest.fixture
def good(tmp_path: Path) -> GoodLake:
    """A lake in which all checks pass."""
    return GoodLake(tmp_path)


@pytest.fixture
def tomorrow() -> date:
    """A date in the future."""
    return datetime.now(UTC).date() + timedelta(days=1)
