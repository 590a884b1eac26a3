"""Tests for starschema_assets.authoring."""
