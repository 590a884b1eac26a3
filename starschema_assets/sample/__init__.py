"""Generates the sample database: the classicmodels schema filled with generated rows."""

from starschema_assets.sample.generate import ensure_sample

__all__ = ["ensure_sample"]
