"""Tests of starschema_assets."""
