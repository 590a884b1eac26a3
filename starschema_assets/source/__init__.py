"""The operational database: what it declares, and its rows and figures in one snapshot."""
