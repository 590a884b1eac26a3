"""A lake of each kind for each test: a directory, and a prefix on a real S3 server."""

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
    """A lake in a directory of its own."""
    return Settings(
        lake_uri=str(tmp_path / "lake"),
        scratch=tmp_path / "scratch",
        lock_wait=60,
        keep_versions=2,
    )


@pytest.fixture
def s3_settings(s3: SeaweedFS, local_settings: Settings) -> Settings:
    """A lake on S3 below a prefix of its own."""
    assert s3.process
    return local_settings.model_copy(update={"lake_uri": f"s3://{VERSIONED}/{uuid.uuid4().hex}"})


@pytest.fixture(params=["local", "s3"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """The settings of each kind of lake in turn."""
    found: Settings = request.getfixturevalue(f"{request.param}_settings")
    return found


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    """Each kind of lake in turn, empty."""
    lake = open_lake(settings)
    yield lake
    lake.close()
