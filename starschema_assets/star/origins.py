"""What a star table's file records of the raw tables that it was made of."""

import json
from collections.abc import Mapping

from starschema_assets.lake.parquet import Footer
from starschema_assets.quality.checks import FACT
from starschema_assets.star.models import Model


def origins(model: Model, raw: Mapping[str, Footer]) -> dict[str, str]:
    """The snapshot of each raw table, and with the fact the source's own figures."""
    snapshots = {
        table: raw[table].metadata.get("snapshot", "no snapshot") for table in model.raw_tables
    }
    entries = {"raw_snapshots": json.dumps(snapshots)}
    if model.contract.table == FACT and "order_figures" in raw["orderdetails"].metadata:
        entries["order_figures"] = raw["orderdetails"].metadata["order_figures"]
    return entries
