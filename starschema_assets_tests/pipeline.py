"""The whole pipeline for tests: a source, a lake and a Dagster instance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
    ExecuteInProcessResult,
    JobDefinition,
    TableMetadataValue,
)

from starschema_assets.definitions import build
from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS

RAW = [contract.path for contract in CONTRACTS]
STAR = [model.contract.path for model in MODELS]
QUIET = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}


class Pipeline:
    """Runs the project's jobs in this process, and returns their results."""

    def __init__(self, settings: Settings, instance: DagsterInstance) -> None:
        self.settings = settings
        self.instance = instance

    @property
    def lake(self) -> Lake:
        """The lake, opened again."""
        return open_lake(self.settings)

    def refresh(self, *tables: Sequence[str], accept: Sequence[str] = ()) -> ExecuteInProcessResult:
        """Run the job for these tables, or for all. `accept` has the checks to accept."""
        selected = tables or [*RAW, *STAR]
        config: dict[str, Any] = {
            f"{stage}_tables": {
                "config": {"accept": [title for title in accept if title.startswith(stage)]}
            }
            for stage in sorted({table[0] for table in selected})
        }
        return self._run(
            "refresh_star_schema",
            asset_selection=[AssetKey(table) for table in selected],
            run_config={"ops": config},
        )

    def refused(self, *tables: Sequence[str], **accepted: Sequence[str]) -> ExecuteInProcessResult:
        """Refresh, and assert that the run fails and publishes nothing of this and later stages."""
        before = self.published()
        run = self.refresh(*tables, **accepted)
        (step,) = run.get_step_failure_events()
        stages = ("raw", "star") if step.step_key == "raw_tables" else ("star",)
        after = self.published()
        assert after.keys() == before.keys()
        changed = [name for name in after if after[name] != before[name]]
        assert not [name for name in changed if name.startswith(stages)]
        assert not [name for name in self.materialized(run) if name.startswith(stages)]
        return run

    def rebuild(self, source: str = "lake") -> ExecuteInProcessResult:
        """Rebuild the histories like `make history`."""
        return self._run(
            "refresh_star_schema",
            asset_selection=[AssetKey(table) for table in STAR],
            run_config={"ops": {"star_tables": {"config": {"rebuild_histories": source}}}},
        )

    def crawl(self) -> ExecuteInProcessResult:
        """Run the job that crawls the star schema."""
        return self._run("crawl_star_schema")

    def audit(self) -> ExecuteInProcessResult:
        """Run the job that audits the published tables."""
        return self._run("audit_star_schema")

    def materialize(self, *keys: AssetKey) -> ExecuteInProcessResult:
        """Materialize assets like the button in the UI."""
        job = build(self.settings).resolve_implicit_global_asset_job_def()
        return self.run(job, asset_selection=list(keys))

    def run(
        self, job: JobDefinition, run_config: Mapping[str, Any] | None = None, **arguments: Any
    ) -> ExecuteInProcessResult:
        """Run a job on this pipeline's instance; the console shows INFO and above."""
        return job.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            run_config={**QUIET, **(run_config or {})},
            **arguments,
        )

    def _run(self, job: str, **arguments: Any) -> ExecuteInProcessResult:
        return self.run(build(self.settings).resolve_job_def(job), **arguments)

    def published(self) -> dict[str, bytes]:
        """Return the bytes of every object that readers or crawlers of the lake see."""
        root = Path(self.settings.lake_uri)
        files = [file for stage in ("raw", "star") for file in root.glob(f"{stage}/**/*")]
        return {str(f.relative_to(root)): f.read_bytes() for f in files if f.is_file()}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the published files, as `raw.<table>` and `star.<table>`."""
        with duckdb.connect() as connection:
            connection.execute("create schema raw; create schema star")
            for stage, table in [*RAW, *STAR]:
                file = self.lake.fetch((stage, table))
                connection.execute(f"create view {stage}.{table} as from '{file}'")
            return connection.execute(sql).fetchall()

    def check(self, title: str) -> AssetCheckEvaluation:
        """Return the newest result of a check, e.g. `star/fact_orders:key`, from the instance."""
        table, _, name = title.partition(":")
        key = AssetCheckKey(AssetKey(table.split("/")), name)
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert records, f"{title} was never evaluated"
        event = records[0].event
        assert event
        assert event.dagster_event
        evaluation = event.dagster_event.event_specific_data
        assert isinstance(evaluation, AssetCheckEvaluation)
        return evaluation

    def examples(self, title: str) -> list[Mapping[str, str | int | float | bool | None]]:
        """Return the example rows that the instance shows for a check."""
        examples = self.check(title).metadata["examples"]
        assert isinstance(examples, TableMetadataValue)
        return [record.data for record in examples.records]

    def materialized(self, run: ExecuteInProcessResult) -> list[str]:
        """Return the assets that a run materialized, in the order of publication."""
        return [
            event.asset_key.to_user_string()
            for event in run.get_asset_materialization_events()
            if event.asset_key
        ]

    def failures(self, run: ExecuteInProcessResult) -> dict[str, bool]:
        """Return the failed checks of a run, and whether they block."""
        return {
            f"{result.asset_key.to_user_string()}:{result.check_name}": bool(result.blocking)
            and result.severity is AssetCheckSeverity.ERROR
            for result in run.get_asset_check_evaluations()
            if not result.passed
        }

    def reason(self, run: ExecuteInProcessResult) -> str:
        """Return the error of the failed step of a run."""
        assert not run.success
        (step,) = run.get_step_failure_events()
        failed = step.step_failure_data
        if failed.user_failure_data and failed.user_failure_data.description:
            return failed.user_failure_data.description
        assert failed.error
        return failed.error.to_string()
