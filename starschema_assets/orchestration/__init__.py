"""What Dagster sees of the pipeline beside its assets: the IO manager, checks, pages, alerts."""
