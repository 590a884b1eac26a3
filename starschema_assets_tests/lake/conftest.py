"""A lake of each kind for each test: a directory, and a prefix on a real S3 server."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from starschema_assets.lake.lake import Lake
from starschema_assets.lake.open import open_lake
from starschema_assets.settings import Settings
from starschema_assets_tests.seaweedfs import SeaweedFS, seaweedfs

VERSIONED = "versioned"
PLAIN = "plain"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A server with one bucket that keeps versions and one that doesn't."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id=server.environment()["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=server.environment()["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(Bucket=PLAIN)
        client.create_bucket(Bucket=VERSIONED)
        client.put_bucket_versioning(
            Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"}
        )
        yield server


@pytest.fixture
def s3(s3_server: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> SeaweedFS:
    """The server, with the AWS variables of its owner set."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server


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
