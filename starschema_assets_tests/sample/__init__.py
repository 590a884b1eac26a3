"""Tests of the sample database."""
