"""Tests for the benchmarks at the smallest scale: they measure, and they verify results."""
