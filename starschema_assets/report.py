"""`make report`: create the sales report from the published tables, and print its location."""

from contextlib import closing

from dagster import DagsterInstance

from starschema_assets import command
from starschema_assets.analytics.report.asset import DOCUMENT, KEY
from starschema_assets.errors import StarschemaError
from starschema_assets.lake.lake import open_lake
from starschema_assets.orchestration.alerts import reason
from starschema_assets.run import QUIET, one_line
from starschema_assets.settings import Settings


def main() -> None:
    """Materialize only the report, as the UI can. Raises StarschemaError if that fails."""
    # Imported here because it reads the settings, whose errors `command` must catch
    from starschema_assets.definitions import defs  # noqa: PLC0415

    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={KEY})
    job = job.with_logger_defs({"one_line": one_line})
    with DagsterInstance.get() as instance:
        run = job.execute_in_process(QUIET, instance=instance, raise_on_error=False)
    if not run.success:
        failures = [event for event in run.all_events if event.is_step_failure]
        raise StarschemaError("\n".join(map(reason, failures)))
    with closing(open_lake(Settings())) as lake:
        print(f"The report is {lake.document_link(DOCUMENT) or lake.document_uri(DOCUMENT)}")


if __name__ == "__main__":
    command.run(main)
