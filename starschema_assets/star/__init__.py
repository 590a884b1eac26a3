"""The star schema: one SQL file and one contract per table."""
