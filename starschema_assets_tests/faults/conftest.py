"""Fixtures of deployments on each kind of lake. They are copies of one refreshed deployment."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from pydantic import SecretStr

from starschema_assets.settings import CHECKOUT, Settings
from starschema_assets_tests.conftest import VERSIONED, copy_sample
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.faults.deployment import FILES, Base, Deployment
from starschema_assets_tests.faults.objects import objects_of
from starschema_assets_tests.pipeline import Pipeline
from starschema_assets_tests.seaweedfs import SeaweedFS


@pytest.fixture(scope="session")
def base(sample_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Lake, Dagster home and source after a successful refresh of a copy of the sample."""
    base = Base(tmp_path_factory.mktemp("base"), copy_sample(sample_server, "faults"))
    base.home.mkdir()
    shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", base.home)
    settings = Settings(
        source_url=SecretStr(base.sales.url),
        lake_uri=str(base.lake),
        scratch=base.folder / "scratch",
    )
    with DagsterInstance.from_config(str(base.home)) as instance:
        assert Pipeline(settings, instance).refresh().success
    return base


@pytest.fixture
def instance(base: Base, tmp_path: Path) -> Iterator[DagsterInstance]:
    """A copy of the base's Dagster instance, which has recorded its refresh."""
    home = tmp_path / "dagster_home"
    shutil.copytree(base.home, home)
    with DagsterInstance.from_config(str(home)) as instance:
        yield instance


@pytest.fixture
def settings(base: Base, tmp_path: Path) -> Settings:
    """Settings of a lake in a directory, with the base's source."""
    return Settings(
        source_url=SecretStr(base.sales.url),
        lake_uri=str(tmp_path / "lake"),
        scratch=tmp_path / "scratch",
    )


def deploy(
    base: Base, settings: Settings, instance: DagsterInstance, endpoint: str | None = None
) -> Deployment:
    """Copy the base's tables to the lake of the settings, and return the deployment."""
    deployment = Deployment(settings, instance, objects_of(settings, endpoint))
    for name in FILES:
        deployment.objects.write(name, base.lake / name)
    return deployment


@pytest.fixture
def on_disk(base: Base, settings: Settings, instance: DagsterInstance) -> Deployment:
    """A deployment with a lake in a directory."""
    return deploy(base, settings, instance)


@pytest.fixture
def on_s3(s3: SeaweedFS, base: Base, settings: Settings, instance: DagsterInstance) -> Deployment:
    """A deployment with a lake on S3. Tests read its objects directly, not through a proxy."""
    lake = {"lake_uri": f"s3://{VERSIONED}/{uuid.uuid4().hex}"}
    return deploy(base, settings.model_copy(update=lake), instance, s3.url)


@pytest.fixture(params=["on_disk", "on_s3"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """A deployment. Tests run once per kind of lake."""
    found: Deployment = request.getfixturevalue(request.param)
    return found
