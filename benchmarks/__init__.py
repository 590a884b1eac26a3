"""Measures the project against its peers: `make bench`, described in docs/benchmarks.md."""
