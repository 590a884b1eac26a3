"""Assembles the definitions that Dagster loads."""

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    Definitions,
    ScheduleDefinition,
    define_asset_job,
)

from starschema_assets.analytics.report.asset import report_assets, report_sensor
from starschema_assets.assets import raw_assets, star_assets
from starschema_assets.catalog.assets import catalog_assets
from starschema_assets.catalog.sensor import crawl_sensor
from starschema_assets.orchestration.alerts import alert_sensor
from starschema_assets.processes import noting_executor
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.resources import resources_of
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS
from starschema_assets.star.verification import verify


def build(settings: Settings) -> Definitions:
    """Return the definitions of the whole project. Nothing is connected yet.

    Raises ModelError if contracts and SQL don't match.
    """
    verify(CONTRACTS, MODELS)
    refresh = define_asset_job(
        "refresh_star_schema",
        selection=AssetSelection.groups("raw", "star"),
        description="Extracts all raw tables in one snapshot and builds the star from them.",
    )
    audit = define_asset_job(
        "audit_star_schema",
        selection=AssetSelection.all_asset_checks(),
        description="Runs all checks on the published tables, without a refresh or the source.",
    )
    crawl = define_asset_job(
        "crawl_star_schema",
        selection=AssetSelection.groups("catalog"),
        description="Updates the catalog from the lake.",
    )
    return Definitions(
        assets=[
            raw_assets(settings),
            star_assets(settings),
            catalog_assets(settings),
            report_assets(settings),
        ],
        jobs=[refresh, audit, crawl],
        schedules=[
            ScheduleDefinition(
                name="daily_refresh",
                job=refresh,
                cron_schedule=f"0 {settings.schedule_hour} * * *",
                execution_timezone=settings.schedule_timezone,
                default_status=DefaultScheduleStatus.RUNNING
                if settings.schedule_on
                else DefaultScheduleStatus.STOPPED,
            ),
            ScheduleDefinition(
                name="daily_audit",
                job=audit,
                cron_schedule=f"0 {(settings.schedule_hour + 12) % 24} * * *",
                execution_timezone=settings.schedule_timezone,
            ),
        ],
        sensors=[
            crawl_sensor(crawl.name),
            report_sensor(),
            *filter(None, [alert_sensor(settings)]),
        ],
        resources=resources_of(settings),
        executor=noting_executor,
    )


defs = build(Settings())
