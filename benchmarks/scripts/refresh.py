"""Runs the whole refresh job in Dagster, on a persistent instance."""

import sys

from dagster import DagsterInstance, execute_job, reconstructable

from starschema_assets.run import QUIET, refresh

if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        run = execute_job(reconstructable(refresh), instance, run_config=QUIET)
    sys.exit(0 if run.success else 1)
