"""The lake: tables staged out of sight, published in one step, and restored."""
