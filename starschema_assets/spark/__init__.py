"""Spark as an engine of the star, and the messages of the Spark job."""
