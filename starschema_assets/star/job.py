"""The Spark job: builds, audits and publishes star tables, and reports to Dagster.

A plain PySpark 3.5 script, for Glue or a local process. The job itself holds the lake's lock, so
that the lock expires if the job is killed, whether or not Dagster is still running.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir

import boto3
from dagster_pipes import (
    PipesCliArgsParamsLoader,
    PipesContext,
    PipesS3MessageWriter,
    open_dagster_pipes,
)

from starschema_assets.lake.lake import Lake, StagedTable, open_lake
from starschema_assets.model import Model
from starschema_assets.quality.audit import describe
from starschema_assets.quality.files import accept
from starschema_assets.settings import Settings
from starschema_assets.spark.engine import SparkEngine, SparkTables, open_session
from starschema_assets.spark.files import open_files
from starschema_assets.spark.messages import (
    END,
    Told,
    error_message,
    finding_message,
    published_message,
)
from starschema_assets.star.models import MODELS
from starschema_assets.star.transformation import Transformation

MESSAGE_SECONDS = 2
"""Seconds between uploads of messages to S3."""
ELSEWHERE = {"scratch": Path(gettempdir()) / "starschema"}
"""Defaults for settings that Dagster doesn't pass to a job on another machine."""


class Run:
    """One run of the job, with the tables that Dagster requested."""

    def __init__(self, pipes: PipesContext, lake: Lake, settings: Settings) -> None:
        self.pipes = pipes
        self.lake = lake
        self.settings = settings
        self.models = [m for m in MODELS if m.contract.table in pipes.get_extra("tables")]

    def __call__(self) -> None:
        """Build, audit and publish the tables. Without tables, audit the published ones.

        An audit also holds the lock, because no table may be replaced while all are checked.
        """
        run_id = self.pipes.run_id
        with self.lake.lock(f"run {run_id}", self.pipes.log):
            session = open_session()
            on_cluster = not str(session.sparkContext.master).startswith("local")
            with open_files(self.lake, self.settings, run_id, on_cluster=on_cluster) as files:
                engine = SparkEngine(SparkTables(session), files)
                star = Transformation(engine, self.lake, self.settings, MODELS)
                if not self.models:
                    self._audit(star, MODELS)
                    return
                files.clear(of_all_runs=True)
                try:
                    staged = star.stage(self.models, run_id)
                    if self._audit(star, self.models):
                        self._publish(staged)
                finally:
                    files.clear(of_all_runs=False)

    def _audit(self, star: Transformation, models: Sequence[Model]) -> bool:
        """Report every finding. Return True if none blocks the publication."""
        findings = []
        for finding in star.findings(models):
            self.pipes.report_custom_message(finding_message(finding))
            findings.append(finding)
        return not any(f.blocks for f in accept(findings, self.pipes.get_extra("accept")))

    def _publish(self, staged: Sequence[StagedTable]) -> None:
        """Upload all tables, then publish them one by one."""
        for table in staged:
            self.lake.upload(table)
        for table, model in zip(staged, self.models, strict=True):
            description = describe(table, model.contract)
            uri = self.lake.publish(table).uri
            published = Told(model.contract.table, uri, description)
            self.pipes.report_custom_message(published_message(published))


def open_pipes() -> PipesContext:
    """Open the connection to Dagster, from arguments (Glue) or environment (local process)."""
    arguments = PipesCliArgsParamsLoader()  # type: ignore[no-untyped-call]
    if not arguments.is_dagster_pipes_process():
        return open_dagster_pipes()
    writer = PipesS3MessageWriter(boto3.client("s3"), interval=MESSAGE_SECONDS)
    return open_dagster_pipes(params_loader=arguments, message_writer=writer)


def main() -> None:
    """Run the job with the settings from Dagster, and report the error if it fails."""
    with open_pipes() as pipes:
        settings = Settings(**ELSEWHERE | pipes.get_extra("settings"))
        lake = open_lake(settings)
        try:
            with closing(lake):
                Run(pipes, lake, settings)()
            pipes.report_custom_message(END)
        except BaseException as error:
            pipes.report_custom_message(error_message(error))
            raise


if __name__ == "__main__":
    main()
