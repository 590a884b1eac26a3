"""All differences between catalog, contract and file are reported."""

from dataclasses import replace

import pytest

from starschema_assets.catalog.catalog import CatalogTable
from starschema_assets.catalog.comparison import differences

COLUMNS = {"orderNumber": "int", "orderDate": "date", "orderAmount": "decimal(20,2)"}
FOLDER = "s3://bucket/lake/star/fact_orders"
# Like a crawler's tables: names in lower case, and locations with a trailing slash.
TABLE = CatalogTable(
    tuple((name.lower(), type_) for name, type_ in COLUMNS.items()), f"{FOLDER}/", "parquet"
)
NUMBER, DATE, AMOUNT = TABLE.columns


def found(table: CatalogTable | None) -> list[str]:
    return list(differences("fact_orders", table, COLUMNS, COLUMNS, FOLDER))


def test_a_crawled_table_has_no_differences() -> None:
    assert found(TABLE) == []


@pytest.mark.parametrize(
    ("tampered", "named"),
    [
        (None, "fact_orders is not in the catalog"),
        (
            replace(TABLE, location="s3://bucket/lake/raw/orders"),
            f"fact_orders is at s3://bucket/lake/raw/orders in the catalog and at {FOLDER}",
        ),
        (
            replace(TABLE, partition_keys=(("partition_0", "string"),)),
            "fact_orders is partitioned by partition_0 in the catalog",
        ),
        (replace(TABLE, format="csv"), "fact_orders is read as csv, but its file is parquet"),
        (
            replace(TABLE, columns=(NUMBER, DATE)),
            "fact_orders.orderamount is missing in the catalog and decimal(20,2) in the file",
        ),
        (
            replace(TABLE, columns=(*TABLE.columns, ("partition_0", "string"))),
            "fact_orders.partition_0 is string in the catalog and missing in the file",
        ),
        (
            replace(TABLE, columns=(NUMBER, DATE, ("orderamount", "double"))),
            "fact_orders.orderamount is double in the catalog and decimal(20,2) in the file",
        ),
        (
            replace(TABLE, columns=(NUMBER, DATE, ("amount", "decimal(20,2)"))),
            "fact_orders.amount is decimal(20,2) in the catalog and missing in the file",
        ),
        (
            replace(TABLE, columns=(DATE, NUMBER, AMOUNT)),
            "fact_orders has another column order in the catalog than in the file",
        ),
    ],
)
def test_a_tampered_attribute_is_named(tampered: CatalogTable | None, named: str) -> None:
    assert any(named in line for line in found(tampered))


def test_a_file_that_breaks_its_contract_is_named_although_the_catalog_has_its_columns() -> None:
    file = COLUMNS | {"orderAmount": "double"}
    table = replace(TABLE, columns=(NUMBER, DATE, ("orderamount", "double")))
    assert list(differences("fact_orders", table, file, COLUMNS, FOLDER)) == [
        "fact_orders.orderamount is double in the catalog and decimal(20,2) in the contract"
    ]
