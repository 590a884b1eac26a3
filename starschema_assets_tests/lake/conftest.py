"""Fixtures of empty lakes: in a directory, and on a real S3 server."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from starschema_assets.lake.lake import Lake, open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.conftest import VERSIONED
from starschema_assets_tests.seaweedfs import SeaweedFS


@pytest.fixture
def local_settings(tmp_path: Path) -> Settings:
    """Settings of a lake in a temporary directory."""
    return Settings(
        lake_uri=str(tmp_path / "lake"),
        scratch=tmp_path / "scratch",
        lock_wait=60,
        keep_versions=2,
    )


@pytest.fixture
def s3_settings(s3: SeaweedFS, local_settings: Settings) -> Settings:
    """Settings of a lake on S3, below a new prefix."""
    assert s3.process
    return local_settings.model_copy(update={"lake_uri": f"s3://{VERSIONED}/{uuid.uuid4().hex}"})


@pytest.fixture(params=["local", "s3"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of a lake. Tests run once per kind of lake."""
    found: Settings = request.getfixturevalue(f"{request.param}_settings")
    return found


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    """An empty lake. Tests run once per kind of lake."""
    lake = open_lake(settings)
    yield lake
    lake.close()
