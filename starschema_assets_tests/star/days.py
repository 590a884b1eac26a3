"""A star that is refreshed on consecutive days, without a server or Dagster."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from starschema_assets.engine import DuckDBEngine
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.quality.files import accept
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import Settings
from starschema_assets.star.continuation import Rebuilt
from starschema_assets.star.models import HISTORIES, MODELS
from starschema_assets.star.rebuilding import Rebuilding
from starschema_assets.star.transformation import Transformation
from starschema_assets_tests.rows import RawTables

LOG = logging.getLogger(__name__)


class Days:
    """A lake whose star is refreshed on consecutive days."""

    def __init__(self, folder: Path, lake_uri: str | None = None) -> None:
        self.settings = Settings(
            lake_uri=lake_uri or str(folder / "lake"),
            scratch=folder / "scratch",
            max_new_versions=1.0,
            keep_versions=30,
        )
        self.lake: Lake = open_lake(self.settings)
        self.raw = RawTables()
        self.source = "shop"
        self.former_sources: Sequence[str] = ()
        self.raw.add("productlines", {"productLine": "Trains"})
        self.raw.add("products", {"productCode": "S1", "productLine": "Trains", "buyPrice": 10})
        for number, city in ((1, "Nantes"), (2, "Lyon")):
            self.raw.add("customers", {"customerNumber": number, "city": city})

    def sql(self, statement: str) -> None:
        """Run SQL that changes the source."""
        self.raw.connection.execute(statement)

    def order(self, number: int, customer: int, day: date) -> None:
        """Add an order of one piece of a product."""
        days = dict.fromkeys(("orderDate", "requiredDate", "shippedDate"), day)
        order = {"orderNumber": number, "customerNumber": customer, "status": "Shipped"}
        self.raw.add("orders", {**order, **days})
        self.raw.add("orderdetails", {"orderNumber": number, "productCode": "S1"})

    def extract(self, moment: str, *tables: str) -> None:
        """Publish raw tables, by default all, as a snapshot of this moment (UTC)."""
        taken = datetime.fromisoformat(moment)
        years = self.raw.connection.execute(
            "select cast(extract(year from orderDate) as varchar), count(*)::varchar, "
            "sum(quantityOrdered)::varchar, sum(quantityOrdered * priceEach)::varchar "
            "from raw.orders join raw.orderdetails using (orderNumber) group by 1"
        ).fetchall()
        with self.lake.lock("test", LOG):
            for contract in CONTRACTS:
                if tables and contract.table not in tables:
                    continue
                entries = {
                    "snapshot": f"{taken:%Y%m%dT%H%M%S.%fZ}-1",
                    "source": self.source,
                    "former_sources": json.dumps(self.former_sources),
                    "order_figures": json.dumps(years),
                }
                reader = self.raw.connection.sql(f"from {contract.stage}.{contract.table}")
                staged = self.lake.stage(
                    contract.path, reader.to_arrow_reader(), "test", metadata=entries
                )
                self.lake.upload(staged)
                self.lake.publish(staged)

    def rebuild(self, folder: Path | None = None, accepted: Sequence[str] = ()) -> dict[str, str]:
        """Rebuild the histories from the lake or a folder, and build the star with them."""
        return self.transform(accepted=accepted, rebuild=lambda r: r.stage(folder))

    def transform(
        self,
        *tables: str,
        accepted: Sequence[str] = (),
        rebuild: Callable[[Rebuilding], Rebuilt] | None = None,
    ) -> dict[str, str]:
        """Build, audit and publish star tables, by default all. Return the blocking findings."""
        models = [model for model in MODELS if not tables or model.contract.table in tables]
        with (
            self.lake.lock("test", LOG),
            closing(DuckDBEngine(self.lake.fetch, self.settings)) as engine,
        ):
            rebuilding = Rebuilding(self.lake, self.settings, HISTORIES, "run", LOG)
            rebuilt = rebuild(rebuilding) if rebuild else None
            star = Transformation(engine, self.lake, self.settings, MODELS, rebuilt)
            staged = star.stage(models, "run")
            findings = list(accept(star.findings(models), accepted))
            self.findings = {finding.title: finding for finding in findings}
            blocked = {f.title: f.message for f in findings if f.blocks}
            if not blocked:
                for table in staged:
                    self.lake.upload(table)
                for table in staged:
                    self.lake.publish(table)
        return blocked

    def refresh(self, moment: str) -> None:
        """Publish the raw tables and build the star. No check may fail."""
        self.extract(moment)
        assert self.transform() == {}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query on the published star. It uses table names without a schema."""
        with duckdb.connect() as connection:
            for model in MODELS:
                file = self.lake.fetch(model.contract.path)
                connection.execute(f"create view {model.contract.table} as from '{file}'")
            return connection.execute(query).fetchall()

    def cities(self) -> list[tuple[Any, ...]]:
        """Return the versions of all customers: number, version, city, first day."""
        return self.ask(
            "select customerNumber, version, city, validFrom from dim_customers_history"
        )
