"""Queries of analysts on the star, and the notebook and report that show them."""
