"""Tests of what Dagster sees beside the assets."""
