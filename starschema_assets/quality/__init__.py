"""Audits tables before they are published, with SQL that is generated from their contracts."""
