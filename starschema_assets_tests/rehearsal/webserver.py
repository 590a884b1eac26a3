"""What the webserver of a machine is asked, as its pages ask it."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

from starschema_assets_tests.rehearsal.proofs import expect
from starschema_assets_tests.ui import UI

REFRESH, CRAWL = "refresh_star_schema", "crawl_star_schema"


class Webserver:
    """The webserver at a URL."""

    def __init__(self, url: str) -> None:
        self._ui = UI(url, {}, Path())

    def answers(self) -> bool:
        """Whether it does, and has loaded the code."""
        try:
            asked = self._ui.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries "
                "{ locationOrLoadError { __typename } } } } }"
            )
        except (URLError, ConnectionError):
            return False
        return "RepositoryLocation" in str(asked)

    def schedule_status(self, name: str) -> str:
        """Whether a schedule is on: RUNNING or STOPPED."""
        asked = self._ui.ask(
            "query ($s: ScheduleSelector!) { scheduleOrError(scheduleSelector: $s) "
            "{ ... on Schedule { scheduleState { status } } } }",
            s=_selector(scheduleName=name),
        )
        status: str = asked["scheduleOrError"]["scheduleState"]["status"]
        return status

    def launch(self) -> str:
        """Launch the job of the daily schedule; the run's id."""
        asked = self._ui.ask(
            "mutation ($p: ExecutionParams!) { launchRun(executionParams: $p) "
            "{ __typename ... on LaunchRunSuccess { run { runId } } } }",
            p={"selector": _selector(jobName=REFRESH), "mode": "default"},
        )["launchRun"]
        expect(asked["__typename"], "LaunchRunSuccess")
        run: str = asked["run"]["runId"]
        return run

    def history(self) -> set[str]:
        """The ids of all runs."""
        return {run["runId"] for run in self._runs()}

    def ended(self, run: str) -> str | None:
        """How a run ended, if it has."""
        (status,) = [one["status"] for one in self._runs() if one["runId"] == run]
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

    def crawl_ended(self) -> str | None:
        """How the newest crawl ended, if it has."""
        crawls = [one["runId"] for one in self._runs() if one["jobName"] == CRAWL]
        return self.ended(crawls[0]) if crawls else None

    def _runs(self) -> list[dict[str, Any]]:
        asked = self._ui.ask("{ runsOrError { ... on Runs { results { runId jobName status } } } }")
        runs: list[dict[str, Any]] = asked["runsOrError"]["results"]
        return runs


def _selector(**more: str) -> dict[str, str]:
    place = {"repositoryLocationName": "starschema_assets", "repositoryName": "__repository__"}
    return place | more
