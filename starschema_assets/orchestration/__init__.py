"""Dagster's side of the pipeline: check results, metadata, alerts, and starting the Spark job."""
