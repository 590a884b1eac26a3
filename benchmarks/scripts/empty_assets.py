"""Thirteen assets that do nothing, run by Dagster in one process like the refresh."""

import sys

from dagster import (
    AssetsDefinition,
    DagsterInstance,
    Definitions,
    JobDefinition,
    asset,
    define_asset_job,
    execute_job,
    in_process_executor,
    reconstructable,
)

ASSETS = 13


def _empty(number: int) -> AssetsDefinition:
    @asset(name=f"empty_{number}")
    def empty() -> None:
        pass

    return empty


def job() -> JobDefinition:
    """Return the job. Dagster finds it by the name of this function."""
    defs = Definitions(
        assets=[_empty(number) for number in range(ASSETS)],
        jobs=[define_asset_job("all_empty")],
        executor=in_process_executor,
    )
    return defs.resolve_job_def("all_empty")


if __name__ == "__main__":
    quiet = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}
    with DagsterInstance.get() as instance:
        run = execute_job(reconstructable(job), instance, run_config=quiet)
    sys.exit(0 if run.success else 1)
