"""Reads the operational database: its metadata, and its rows and figures in one snapshot."""
