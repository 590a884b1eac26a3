"""The asset analytics/sales_report, and the sensor that recreates it after each crawl."""

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    DefaultSensorStatus,
    Failure,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from starschema_assets.catalog.assets import KEY as CATALOG
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.orchestration.reports import OWNERS
from starschema_assets.processes import verify_not_ended
from starschema_assets.settings import Settings

DOCUMENT = ("analytics", "sales_report")
KEY = AssetKey(DOCUMENT)
SECONDS = 15

_WANTED = (
    (AutomationCondition.newly_missing() | AutomationCondition.any_deps_updated())
    .since(AutomationCondition.newly_requested() | AutomationCondition.newly_updated())
    .with_label("the report is missing, or older than the last crawl")
)
WHEN = (
    _WANTED
    & ~AutomationCondition.any_deps_missing()
    & ~AutomationCondition.any_deps_in_progress()
    & ~AutomationCondition.in_progress()
    & AutomationCondition.all_deps_blocking_checks_passed()
).with_label("once after each successful crawl")
"""A failed report isn't retried before the next crawl, because the notebook must be fixed first."""


def report_assets(settings: Settings) -> AssetsDefinition:
    """Return the report as an asset downstream of the catalog."""

    @asset(
        key=KEY,
        deps=[CATALOG],
        group_name="analytics",
        kinds={"jupyter", "html"},
        owners=OWNERS,
        automation_condition=WHEN,
        metadata={"dagster/uri": open_lake(settings).document_uri(DOCUMENT)},
        description="The executed notebook `sales_report.ipynb` as one HTML page, with filters for "
        "country, product line and months. It loads nothing from the network and contains no "
        "personal data. It is created once after each crawl whose check passed.",
    )
    def sales_report(
        context: AssetExecutionContext, lake: ResourceParam[Lake]
    ) -> MaterializeResult[None]:
        """Execute the notebook and publish the page. Fails with the error of a failed cell."""
        # Imported here: the import takes two seconds, and loading the definitions doesn't need it.
        from starschema_assets.analytics.report.execution import (  # noqa: PLC0415
            NotebookFailed,
            execute,
        )
        from starschema_assets.analytics.report.page import report_html  # noqa: PLC0415

        try:
            page = report_html(execute(settings)).encode()
        except NotebookFailed as error:
            raise Failure(str(error), allow_retries=False) from error
        verify_not_ended(context.instance, context.run.run_id)
        uri = lake.write_document(DOCUMENT, page)
        context.log.info("Published %s", uri)
        link = lake.document_link(DOCUMENT)
        return MaterializeResult(
            metadata={
                "dagster/size_bytes": len(page),
                "report": MetadataValue.url(link) if link else MetadataValue.path(uri),
            }
        )

    return sales_report


def report_sensor() -> AutomationConditionSensorDefinition:
    """Return the sensor that starts the report."""
    return AutomationConditionSensorDefinition(
        "report_after_crawl",
        target=[KEY],
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=SECONDS,
        description="Creates the report once after each crawl whose check passed.",
    )
