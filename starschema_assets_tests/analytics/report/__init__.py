"""Tests for starschema_assets.analytics.report."""
