"""Tests of the benchmark harness, at the smallest scale: that it measures, and that it judges."""
