"""Tests of starschema_assets.catalog."""
