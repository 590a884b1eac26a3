"""Progress messages in the log while waiting for a crawl."""

import logging

import pytest

from starschema_assets.catalog import waiting
from starschema_assets.catalog.waiting import Waiting


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the logged messages without the seconds."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)
    caplog.set_level(logging.INFO)
    wait = Waiting("star", 60, logging.getLogger())
    for state in ("RUNNING", "RUNNING", "RUNNING", "STOPPING"):
        wait.pause(state)
    return [line.rpartition(",")[0] for line in caplog.messages]


def test_a_state_is_logged_again_when_it_lasts(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(waiting, "PROGRESS_SECONDS", 0)
    running, stopping = "Glue crawler star: RUNNING", "Glue crawler star: STOPPING"
    assert request.getfixturevalue("told") == [running, running, running, stopping]


def test_a_state_is_not_logged_at_every_poll(told: list[str]) -> None:
    assert told == ["Glue crawler star: RUNNING", "Glue crawler star: STOPPING"]
