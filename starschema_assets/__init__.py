"""Tables of an operational MySQL database as a star schema in Parquet: Dagster assets."""
