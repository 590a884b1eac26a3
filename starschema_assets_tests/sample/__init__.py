"""Tests for the sample database."""
