"""Tests for starschema_assets."""
