"""Runs the whole refresh with the clock DAYS ahead: `python refresh_on_day.py DAYS`."""

import sys
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, execute_job, reconstructable

from starschema_assets.run import QUIET, refresh
from starschema_assets.source.mysql import MySQL

if __name__ == "__main__":
    ahead = timedelta(days=int(sys.argv[1]))
    MySQL.now = lambda _: datetime.now(UTC) + ahead  # type: ignore[assignment, method-assign]
    with DagsterInstance.get() as instance:
        run = execute_job(reconstructable(refresh), instance, run_config=QUIET)
    sys.exit(0 if run.success else 1)
