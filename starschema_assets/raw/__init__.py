"""The tables of the source, as they came."""
