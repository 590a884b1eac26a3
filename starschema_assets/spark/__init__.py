"""The star on Spark: the job that makes it, and how Dagster starts that job."""
