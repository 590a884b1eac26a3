"""Tests of starschema_assets.orchestration."""
