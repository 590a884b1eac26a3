"""The raw stage: unchanged copies of the source's tables."""
