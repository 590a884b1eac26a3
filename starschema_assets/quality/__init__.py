"""Asset checks made from contracts, and the audit of a table before its publication."""
