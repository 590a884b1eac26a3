"""Generates contracts: of raw tables from the database, of star tables from their SQL."""
