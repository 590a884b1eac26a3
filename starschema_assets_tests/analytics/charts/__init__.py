"""Tests of starschema_assets.analytics.charts."""
