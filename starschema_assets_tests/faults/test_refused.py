"""If the source rejects the connection, the run fails with one line and without the password."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from dagster import DagsterInstance
from dagster._serdes import serialize_value
from pydantic import SecretStr

from starschema_assets.settings import CHECKOUT, Settings
from starschema_assets_tests.conftest import PASSWORD, on_both
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.faults.conftest import deploy
from starschema_assets_tests.faults.deployment import Base, Deployment

pytestmark = on_both

WRONG = "wr0ng p@ss/w:rd%"


def forms(password: str) -> list[str]:
    """Return the password in plain and in URL-encoded forms."""
    return [password, quote(password, safe=""), quote(password), quote(password, safe="/:@")]


def places_that_tell(password: str, instance: DagsterInstance, output: str) -> list[str]:
    """Return where the password appears: in events, files of the Dagster home, or the output."""
    texts = {"the output": output.encode()}
    for run in instance.get_runs():
        for record in instance.all_logs(run.run_id):
            texts[f"event {record.message}"] = serialize_value(record).encode()
    home = Path(instance.root_directory)
    texts |= {str(file): file.read_bytes() for file in home.rglob("*") if file.is_file()}
    assert any(name.endswith(".db") for name in texts)
    assert any("STEP_FAILURE" in name or "failed" in name for name in texts)
    return [
        name
        for name, content in texts.items()
        if any(form.encode() in content for form in forms(password))
    ]


@pytest.fixture
def stranger(sample_server: DatabaseServer) -> Iterator[str]:
    """A user with the correct password and without privileges."""
    sample_server.execute(f"create user stranger identified by '{PASSWORD}'")
    yield "stranger"
    sample_server.execute("drop user stranger")


@pytest.fixture
def refused(
    request: pytest.FixtureRequest, sample_server: DatabaseServer, base: Base, stranger: str
) -> tuple[str, str]:
    """A URL with which the tables can't be read, and its password."""
    database = base.sales.database
    urls = {
        "wrong password": sample_server.url("reader", WRONG, database),
        "unknown user": sample_server.url("nobody", PASSWORD, database),
        "missing database": sample_server.url("reader", PASSWORD, "nowhere"),
        "no privilege": sample_server.url(stranger, PASSWORD, database),
        "unknown host": sample_server.url("reader", PASSWORD, database).replace(
            f"127.0.0.1:{sample_server.port}", "nowhere.invalid:3306"
        ),
    }
    return urls[request.param], WRONG if request.param == "wrong password" else PASSWORD


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("wrong password", "check user and password in STARSCHEMA_SOURCE_URL"),
        ("unknown user", "check user and password in STARSCHEMA_SOURCE_URL"),
        ("missing database", "check the database in STARSCHEMA_SOURCE_URL"),
        ("no privilege", "URL, and that the user may SELECT there"),
        ("unknown host", "check host and port in STARSCHEMA_SOURCE_URL"),
    ],
    indirect=["refused"],
)
def test_a_refusal_fails_the_run_at_once_and_keeps_the_password(  # noqa: PLR0913, PLR0917
    base: Base,
    settings: Settings,
    instance: DagsterInstance,
    refused: tuple[str, str],
    said: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url, password = refused
    deployment = deploy(base, settings.model_copy(update={"source_url": SecretStr(url)}), instance)
    before = deployment.published()
    run = deployment.refresh()
    assert not run.success
    assert deployment.retries(run.run_id) == 0
    assert said in deployment.error(run.run_id)
    assert deployment.published() == before
    assert deployment.objects.in_the_way() == set()
    assert places_that_tell(password, instance, "".join(capfd.readouterr())) == []


def test_the_command_line_keeps_the_password(
    on_disk: Deployment, base: Base, sample_server: DatabaseServer
) -> None:
    before = on_disk.published()
    command = subprocess.run(
        [sys.executable, "-m", "starschema_assets.run"],
        env=os.environ
        | {
            "STARSCHEMA_SOURCE_URL": sample_server.url("reader", WRONG, base.sales.database),
            "STARSCHEMA_LAKE_URI": on_disk.settings.lake_uri,
            "STARSCHEMA_SCRATCH": str(on_disk.settings.scratch),
            "DAGSTER_HOME": on_disk.instance.root_directory,
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.returncode == 1
    run = on_disk.last_run()
    assert run.run_id in command.stderr.splitlines()[-1]
    assert on_disk.retries(run.run_id) == 0
    assert "check user and password" in on_disk.error(run.run_id)
    output = command.stdout + command.stderr
    assert "check user and password" in command.stderr.splitlines()[-2]
    assert places_that_tell(WRONG, on_disk.instance, output) == []
    assert on_disk.published() == before
