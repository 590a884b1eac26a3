"""Tests for the command line of the sample."""

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

import starschema_assets
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.sample.conftest import DATABASE, PASSWORD, USER


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package, because the default database is beside it."""
    shutil.copytree(Path(starschema_assets.__file__).parent, tmp_path / "starschema_assets")
    return tmp_path


def _run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "starschema_assets.sample", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_makes_the_embedded_database_once(checkout: Path) -> None:
    runs = [_run(checkout, *options) for options in (["--scale", "2"], [], ["--next-day"])]
    assert [run.returncode for run in runs] == [0, 0, 0]
    first, second, third = runs
    assert "sample.duckdb: generated" in first.stderr
    assert "sample.duckdb: already up to date" in second.stderr
    assert "1 day(s) ahead: 7 customers moved, and 3 products have new prices" in third.stderr
    with duckdb.connect(checkout / "data" / "sample.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchall() == [(652,)]


def test_a_quick_look_loads_nothing_slow(checkout: Path) -> None:
    """Modules that aren't imported can't slow down `make run`, which always checks the sample."""
    _run(checkout)
    listing = [sys.executable, "-X", "importtime", "-m", "starschema_assets.sample"]
    done = subprocess.run(listing, cwd=checkout, capture_output=True, text=True, check=True)
    modules = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "duckdb" in modules
    assert modules.isdisjoint({"dagster", "pandas", "pyarrow", "sqlglot", "sqlalchemy", "pymysql"})


def test_loads_into_mysql_and_never_shows_the_password(server: DatabaseServer) -> None:
    server.execute("CREATE DATABASE commanded")
    target = server.url(USER, PASSWORD, "commanded")
    first, second = (_run(Path.cwd(), "--into", target, "--seed", "9") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert "orderdetails: " in first.stderr
    assert second.returncode == 1
    assert "Drop them" in second.stderr
    assert server.execute("SELECT count(*) FROM orders", "commanded").strip() == "326"
    _assert_secret(first, second)


@pytest.mark.parametrize(
    ("user", "password", "database", "message"),
    [
        (USER, PASSWORD + "!", DATABASE, "Access denied"),
        (USER, PASSWORD, "elsewhere", "Unknown database 'elsewhere'"),
    ],
)
def test_a_refused_connection_is_one_line_without_the_password(
    server: DatabaseServer, user: str, password: str, database: str, message: str
) -> None:
    done = _run(Path.cwd(), "--into", server.url(user, password, database))
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    _assert_secret(done)


def test_a_url_that_is_none_is_refused_without_showing_it() -> None:
    done = _run(Path.cwd(), "--into", f"mysql:/{USER}:{quote(PASSWORD, safe='')}@host/database")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    _assert_secret(done)


@pytest.mark.parametrize("scale", ["0", "-1", "many"])
def test_a_scale_must_be_a_positive_number(scale: str) -> None:
    done = _run(Path.cwd(), "--scale", scale)
    assert done.returncode == 2
    assert "--scale" in done.stderr


def _assert_secret(*runs: subprocess.CompletedProcess[str]) -> None:
    for done in runs:
        for secret in (PASSWORD, quote(PASSWORD, safe="")):
            assert secret not in done.stdout + done.stderr
