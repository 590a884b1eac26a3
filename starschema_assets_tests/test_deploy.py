"""Tests for the files of deploy/ and the commands of docs/deploy.md, without AWS.

Dagster accepts the files, and they are consistent with each other. The rehearsal runs the
commands.
"""

import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
from dagster._core.instance.config import dagster_instance_config
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.workspace.load_target import WorkspaceFileTarget
from sqlalchemy import make_url

from starschema_assets.processes import Launcher
from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.rehearsal.page import KINDS, PAGE, blocks

DEPLOY = CHECKOUT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def command(unit: Path) -> list[str]:
    """Return the command of a systemd unit."""
    parser = ConfigParser(interpolation=None, strict=False)
    parser.read(unit)
    return parser["Service"]["ExecStart"].split()


def test_dagster_takes_the_instance_and_has_the_driver_of_its_storage(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
    config, _ = dagster_instance_config(str(tmp_path))
    url = make_url(config["storage"]["postgres"]["postgres_url"])
    assert url.get_dialect().import_dbapi()
    assert url.password is None


@pytest.mark.parametrize("folder", [DEPLOY, CHECKOUT / ".dagster"], ids=lambda folder: folder.name)
def test_an_instance_watches_its_runs_and_ends_none_within_a_day(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "dagster.yaml").write_bytes((folder / "dagster.yaml").read_bytes())
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["run_launcher"] == {"module": Launcher.__module__, "class": Launcher.__name__}
    monitoring = config["run_monitoring"]
    assert monitoring["enabled"]
    assert monitoring["poll_interval_seconds"] <= 60
    assert monitoring["max_runtime_seconds"] == 24 * 60 * 60
    assert "max_resume_run_attempts" not in monitoring
    assert "run_retries" not in config  # a killed run must not run again


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_program_of_the_environment_for_this_machine_alone(unit: Path) -> None:
    program, *arguments = command(unit)
    assert program.startswith("/opt/starschema/.venv/bin/")
    assert (Path(sys.executable).parent / Path(program).name).exists()
    if "-p" in arguments:
        assert arguments[arguments.index("-h") + 1] == "127.0.0.1"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_a_machine_sets_itself_wins_over_what_an_installation_sets(unit: Path) -> None:
    files = [line for line in unit.read_text().splitlines() if line.startswith("EnvironmentFile=")]
    assert files == [
        "EnvironmentFile=/etc/starschema/settings.env",
        "EnvironmentFile=-/etc/starschema/local.env",
    ]


@pytest.mark.parametrize("missing", ["dist", "settings.env"])
def test_a_release_that_is_not_whole_is_refused_before_anything_is_installed(
    missing: str, tmp_path: Path
) -> None:
    if missing != "dist":
        (tmp_path / "dist").mkdir()
        (tmp_path / "dist" / "x.whl").touch()
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "install.sh"
    script.write_bytes((DEPLOY / "install.sh").read_bytes())
    programs = tmp_path / "bin"  # only these programs, so that nothing can be installed
    programs.mkdir()
    for program in ("dirname", "realpath"):
        (programs / program).symlink_to(f"/usr/bin/{program}")
    done = subprocess.run(
        ["/bin/bash", script],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert str(tmp_path / missing) in done.stderr


def test_an_update_to_no_release_says_where_its_command_is() -> None:
    done = subprocess.run(
        ["bash", DEPLOY / "starschema-update", "s3://lake"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "terraform output machine" in done.stderr


def test_the_workspace_finds_the_code_server_by_the_name_that_the_ui_of_a_checkout_has() -> None:
    (server,) = WorkspaceFileTarget([str(DEPLOY / "workspace.yaml")]).create_origins()
    assert isinstance(server, GrpcServerCodeLocationOrigin)
    code = command(DEPLOY / "starschema-code.service")
    assert code[code.index("-p") + 1] == str(server.port)
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    assert server.location_name == project["tool"]["dagster"]["code_location_name"]


def test_commands_of_the_page_are_bash_of_a_kind_that_the_rehearsal_knows() -> None:
    for block in blocks():
        assert block.kind in KINDS
        subprocess.run(["bash", "-n"], input=block.commands, text=True, check=True)


def test_the_page_names_only_commands_outputs_and_files_that_there_are() -> None:
    page = PAGE.read_text()
    targets = re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)\b(?! sure)", page)) <= set(targets)
    declared = "".join(file.read_text() for file in (CHECKOUT / "terraform").glob("*.tf"))
    outputs = set(re.findall(r"\boutput -(?:raw|json) ([a-z_]+)\b", page))
    assert {name for name in outputs if f'output "{name}"' not in declared} == set()
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page)
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_the_page_links_to_headings_that_it_has() -> None:
    page = PAGE.read_text()
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
