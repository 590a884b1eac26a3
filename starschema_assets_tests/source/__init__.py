"""Tests for reading from a source."""
