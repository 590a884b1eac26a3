"""A table as Glue describes it, in the words of the catalog."""

from typing import TYPE_CHECKING

from starschema_assets.catalog.catalog import CatalogTable

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import StorageDescriptorOutputTypeDef, TableTypeDef

_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
)


def catalog_table(table: "TableTypeDef") -> CatalogTable:
    """Columns, location and format come from the storage descriptor; a view has none."""
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
    """`parquet` if both of the classes with which Athena reads a file are Parquet's."""
    classes = (
        storage.get("SerdeInfo", {}).get("SerializationLibrary", ""),
        storage.get("InputFormat", ""),
    )
    if classes == _PARQUET:
        return "parquet"
    return " with ".join(name.rpartition(".")[2] or "nothing" for name in classes)
