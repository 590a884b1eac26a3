"""Tests for the download of MySQL, and for its errors."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import starschema_assets
from starschema_assets_tests import mysql_packages
from starschema_assets_tests.mariadb import mariadbd
from starschema_assets_tests.mysql_packages import found, places


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout, without downloads."""
    shutil.copytree(Path(starschema_assets.__file__).parent, tmp_path / "starschema_assets")
    tests = tmp_path / "starschema_assets_tests"
    tests.mkdir()
    for name in ("__init__.py", "database_server.py", "mysql_packages.py"):
        shutil.copy(Path(mysql_packages.__file__).parent / name, tests)
    return tmp_path


def look(checkout: Path, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with these programs first in PATH."""
    return subprocess.run(
        [sys.executable, "-m", "starschema_assets_tests.mysql_packages"],
        cwd=checkout,
        env=os.environ | {"PATH": str(path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_apt_there_is_no_mysql_and_a_half_fetched_one_is_not_used(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / ".mysql/root/usr/sbin").mkdir(parents=True)
    done = look(checkout, tmp_path / "empty")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No MySQL: this machine has no apt")


def test_a_mariadb_by_the_name_of_mysql_is_none(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mysqld").symlink_to(mariadbd())
    (programs / "mysql").symlink_to(str(shutil.which("mariadb")))
    assert look(checkout, programs).stdout.startswith("No MySQL: ")


@pytest.mark.skipif(not shutil.which("apt-get"), reason="only apt knows a mirror")
def test_a_mirror_that_does_not_answer_is_named(checkout: Path, tmp_path: Path) -> None:
    nobody = tmp_path / "apt.conf"
    proxies = (f'Acquire::{scheme}::Proxy "http://127.0.0.1:9";' for scheme in ("http", "https"))
    nobody.write_text("\n".join([*proxies, 'Acquire::Retries "0";']))
    done = look(checkout, Path(os.environ["PATH"]), APT_CONFIG=str(nobody))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("No MySQL: apt-get update: E: Failed to fetch http")


@pytest.mark.skipif(not shutil.which("apt-get"), reason="fails before it fetches")
def test_a_fault_that_is_not_the_mirrors_fails(checkout: Path) -> None:
    (checkout / ".mysql").write_text("in the way")
    done = look(checkout, Path(os.environ["PATH"]))
    assert done.returncode == 1
    assert "NotADirectoryError" in done.stderr


@pytest.mark.skipif(not found().version, reason="there is no MySQL to install")
def test_a_mysql_that_is_installed_is_used(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    options = " ".join(f"--{name.replace('_', '-')}={p}" for name, p in places(found()).items())
    for name, command in (("mysqld", found().server), ("mysql", found().client)):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nfirst=$1; shift\nexec {" ".join(command)} "$first" {options} "$@"'
        )
        program.chmod(0o755)
    done = look(checkout, programs)
    assert done.stdout == f"MySQL {found().version}\n", done.stderr
    assert (checkout / ".mysql/data/mysql.ibd").is_file()
    assert not (checkout / ".mysql/root").exists()
