"""Tests of starschema_assets.analytics.report."""
