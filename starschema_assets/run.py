"""`make run`: refresh the star and its catalog once, in this process, and show what came of it."""

import sys

from dagster import (
    DagsterInstance,
    JobDefinition,
    execute_job,
    reconstructable,
)

from starschema_assets.analytics.query import query, read, show
from starschema_assets.definitions import defs
from starschema_assets.sample import ensure_sample
from starschema_assets.settings import Settings

FIRST_QUESTIONS = ("sales_by_country", "sales_by_product_line")
QUIET = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}


def refresh() -> JobDefinition:
    """The job that refreshes, for Dagster to find it by this function's name."""
    return defs.resolve_job_def("refresh_star_schema")


def crawl() -> JobDefinition:
    """The job that crawls, for Dagster to find it by this function's name."""
    return defs.resolve_job_def("crawl_star_schema")


def main() -> int:
    """Run both jobs on the instance that the UI shows; 0 if they succeeded."""
    settings = Settings()
    if "source_url" not in settings.model_fields_set:
        ensure_sample()
    with DagsterInstance.get() as instance:
        for job in (refresh, crawl):
            run = execute_job(reconstructable(job), instance, run_config=QUIET)
            if not run.success:
                print(f"{job.__name__} failed; what it did not publish is as it was.")
                print(f"Run {run.run_id} in `make ui` tells why.")
                return 1
    for question in FIRST_QUESTIONS:
        print(f"\n{question.replace('_', ' ').capitalize()}")
        show(query(read(question), settings))
    print(f"\nThe tables are in {settings.lake_uri}. `make ui` shows how they came to be.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
