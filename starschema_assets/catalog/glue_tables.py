"""Converts Glue's description of a table to a CatalogTable."""

from typing import TYPE_CHECKING

from starschema_assets.catalog.catalog import CatalogTable

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import StorageDescriptorOutputTypeDef, TableTypeDef

_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
)


def catalog_table(table: "TableTypeDef") -> CatalogTable:
    """Return columns, location and format from the storage descriptor. A view lacks it."""
    storage: StorageDescriptorOutputTypeDef = table.get("StorageDescriptor", {})
    return CatalogTable(
        columns=tuple((c["Name"], c.get("Type", "")) for c in storage.get("Columns", [])),
        location=storage.get("Location", ""),
        format=_format(storage),
        partition_keys=tuple(
            (c["Name"], c.get("Type", "")) for c in table.get("PartitionKeys", [])
        ),
    )


def _format(storage: "StorageDescriptorOutputTypeDef") -> str:
    """Return `parquet` if both the SerDe and the input format are Parquet's, else their names."""
    classes = (
        storage.get("SerdeInfo", {}).get("SerializationLibrary", ""),
        storage.get("InputFormat", ""),
    )
    if classes == _PARQUET:
        return "parquet"
    return " with ".join(name.rpartition(".")[2] or "nothing" for name in classes)
