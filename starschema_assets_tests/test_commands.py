"""Tests for the last lines of each command of `make help`, with likely input of new users."""

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starschema_assets.analytics.query import questions
from starschema_assets.sample import ensure_sample
from starschema_assets.settings import CHECKOUT

NOBODY = "mysql+pymysql://reader:p4ssw0rd@127.0.0.1:1/shop"
QUESTION = next(iter(questions()))
COMMANDS = (
    "run",
    "ui",
    "query",
    "notebook",
    "report",
    "forget",
    "restore",
    "history",
    "sample",
    "contracts",
    "model",
    "reader",
    "bench",
    "docs",
)


@dataclass(frozen=True)
class Commands:
    """Runs `make` in the checkout, without AWS, with a lake in the test's folder."""

    folder: Path
    home: Path
    """DAGSTER_HOME, shared by all tests, because creating its databases takes a second."""

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a make target in this environment."""
        # Also without the variables of a make that runs the tests
        foreign = ("AWS_", "MAKE", "MFLAGS", "ARGS")
        others = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        ours = {
            "STARSCHEMA_LAKE_URI": str(self.folder / "lake"),
            "STARSCHEMA_CATALOG": str(self.folder / "catalog.duckdb"),
            "STARSCHEMA_SCRATCH": str(self.folder / "scratch"),
            "DAGSTER_HOME": str(self.home),
            "AWS_CONFIG_FILE": "/dev/null",
            "TMPDIR": str(self.home),
        }
        return subprocess.run(
            ["make", "-s", "-o", ".venv/installed", *arguments],
            cwd=CHECKOUT,
            env=others | ours | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def end(self, *arguments: str, **variables: str) -> list[str]:
        """Return the last three lines of a failed command."""
        done = self.make(*arguments, **variables)
        assert done.returncode == 2
        *others, last = done.stderr.splitlines()
        assert last.startswith("make: *** ")
        assert "Traceback" not in done.stdout + done.stderr
        assert "p4ssw0rd" not in done.stdout + done.stderr
        return [*others, last][-3:]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dagster")
    shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", folder)
    return folder


@pytest.fixture
def commands(tmp_path: Path, home: Path) -> Commands:
    """Commands with a lake that doesn't exist yet."""
    return Commands(tmp_path, home)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_begins_with_a_setting_that_is_none(command: str, commands: Commands) -> None:
    end = commands.end(command, "SQL=margin", STARSCHEMA_SORUCE_URL=NOBODY)
    assert "STARSCHEMA_SORUCE_URL isn't a setting; did you mean STARSCHEMA_SOURCE_URL?" in end
    assert list(commands.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["run"], {"LAKE_URI": "gs://bucket/x"}, "LAKE_URI must be a dir.*s3://.*; gs: isn't"),
        (["run"], {"LOCK_WAIT": "p4ssw0rd"}, "LOCK_WAIT must be a whole number, 0 or more"),
        (["run"], {"SOURCE_URL": NOBODY[:-5]}, "SOURCE_URL needs user, host and database"),
        (["run"], {"SOURCE_URL": "duckdb:////no/file"}, "no file /no/file. Correct the path, or"),
        (["run"], {"SOURCE_URL": "postgresql://h/d"}, "of the form mysql.*or duckdb:"),
        (
            ["run"],
            {"SOURCE_URL": "duckdb:////no/file", "LAKE_URI": "/dev/null/x"},
            "raw_tables: STARSCHEMA_LAKE_URI: can't create the folder: .*'/dev/null/x'",
        ),
        (["run", "DAGSTER_HOME=/no/home"], {}, 'DAGSTER_HOME "/no/home" is not a directory'),
        (["ui", "PORT=http"], {}, "--port: must be a whole number from 1 to 65535"),
        (["ui", "DAGSTER_HOME=/no/home"], {}, "DAGSTER_HOME must be a writable directory: "),
        (["query"], {}, "'' is neither SQL nor the name of a query: give SQL, @file"),
        (["query", "SQL=nonsense"], {}, "'nonsense' is neither SQL nor the name"),
        (["query", f"SQL={QUESTION}s"], {}, rf"; did you mean {QUESTION}\?"),
        (["query", "SQL=@no.sql"], {}, r"no\.sql can't be read: .*No such file"),
        (
            ["query", f"SQL={QUESTION}"],
            {},
            "catalog.duckdb does not exist yet: `make run` creates it",
        ),
        (
            ["query", f"SQL={QUESTION}"],
            {"CATALOG": "README.md"},
            "not a valid DuckDB database file",
        ),
        (["notebook"], {}, "catalog.duckdb does not exist yet: `make run` creates it"),
        (["report"], {}, "catalog.duckdb does not exist yet: `make run` creates it"),
        (["restore"], {}, "No table is published under 'star': .*STARSCHEMA_LAKE_URI"),
        (["forget", "TABLE=star"], {}, "No table is published under 'star': .*STARSCHEMA_LAKE_URI"),
        (["forget", "TABLE=star/x"], {}, r"star/x is not in .*x\.parquet: there is nothing to"),
        (["restore", "TABLE=stars"], {}, "No table is published under 'stars': give raw, star or"),
        (["restore", "TABLE=star/x"], {}, r"star/x is not in .*x\.parquet: there is nothing to"),
        (["restore", "TABLE=a b"], {}, "unrecognized arguments: b"),
        (["history"], {}, r"star_tables: raw/\w+ is not in .*: materialize it first"),
        (["history", "FOLDER=no folder"], {}, r"raw/\w+ is not in .*: materialize it first"),
        (["history", "ARGS=--accept star/x:nothing_lost"], {}, "accept: star/x:nothing_lost is no"),
        (["sample", "ARGS=--scale=0"], {}, "--scale: must be 1 or more"),
        (["sample", f"ARGS=--into {NOBODY}"], {}, "--into: Can't connect .*; check user, pass"),
        (["sample", "ARGS=--into mysql+pymysql://u:p4ssw0rd:x@h:y/d"], {}, "--into: give a URL of"),
        (["sample", "ARGS=--into postgresql://u:p4ssw0rd@h/d"], {}, "--into: give a URL of the"),
        (["bench", "ARGS=--parts=all"], {}, "--parts: invalid choice: 'all'"),
    ],
)
def test_the_last_three_lines_have_the_cause_and_what_to_do(
    arguments: list[str], variables: dict[str, str], said: str, commands: Commands
) -> None:
    settings = {f"STARSCHEMA_{name}": value for name, value in variables.items()}
    end = commands.end(*arguments, **settings)
    assert re.search(said, "\n".join(end)), end
    assert not [path for path in CHECKOUT.iterdir() if ":" in path.name]


def test_a_failed_refresh_has_its_stack_trace_in_the_file_that_is_named(
    commands: Commands,
) -> None:
    cause, outcome, _ = commands.end("run", STARSCHEMA_SOURCE_URL=NOBODY)
    log = commands.home / "last-failure.log"
    assert re.match("raw_tables: mysql://reader@.*; check host and port in STARSCHEMA_SOU", cause)
    assert outcome.startswith(f"refresh failed; it published nothing. Full log: {log}, ")
    assert log.stat().st_mode & 0o077 == 0
    kept = log.read_text()
    first = kept.index("Failure: mysql://reader@127.0.0.1:1/shop: Can't connect")
    assert first < kept.index("Stack Trace:")
    assert "in raw_tables" in kept
    assert "p4ssw0rd" not in kept


def test_a_question_without_an_answer_is_no_failed_refresh(commands: Commands) -> None:
    source = commands.folder / "source.duckdb"
    ensure_sample(source)
    here = {"STARSCHEMA_SOURCE_URL": f"duckdb:///{source}", "STARSCHEMA_GLUE_DATABASE": "sales"}
    done = commands.make("run", **here)
    assert done.returncode == 0
    assert done.stdout.count("No result: AWS can't be reached") == 2
    assert done.stdout.splitlines()[-1].startswith("The tables are in ")
    assert (commands.folder / "lake/star/fact_orders/fact_orders.parquet").exists()
    done = commands.make("history", **here)
    assert done.stdout == "The star is published with the rebuilt histories.\n"
    assert f"Histories are built from: {datetime.now(UTC).date()}\n" in done.stderr
    # The embedded catalog of that run has the table
    report = commands.folder / "lake/analytics/sales_report/sales_report.html"
    assert commands.make("report").stdout.splitlines()[-1] == f"The report is {report}"
    assert "Sales report" in report.read_text(encoding="utf-8")
    # The error is below the line with the position
    end = commands.end("query", "SQL=select *\nfrom fact_order")
    assert end[-2].endswith('name fact_order does not exist! Did you mean "fact_orders"?')


def _cleaned(folder: Path, source: str) -> str:
    """Run `make clean` in a checkout whose lake has a history of this source."""
    history = folder / "data/lake/star/things_history/things_history.parquet"
    history.parent.mkdir(parents=True)
    entries = {"starschema.sources": json.dumps([source])}
    pq.write_table(pa.table({"thing": [1]}).replace_schema_metadata(entries), history)
    for each in (".dagster/dagster.yaml", ".dagster/run", "data/catalog.duckdb", ".venv/x"):
        (folder / each).parent.mkdir(exist_ok=True)
        (folder / each).touch()
    shutil.copy(CHECKOUT / "Makefile", folder)
    others = {
        k: v for k, v in os.environ.items() if not k.startswith(("STARSCHEMA_", "MAKE", "ARGS"))
    }
    done = subprocess.run(
        ["make", "clean"], cwd=folder, env=others, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_clean_removes_all_that_can_be_made_again(tmp_path: Path) -> None:
    assert "stays" not in _cleaned(tmp_path, "the DuckDB file sample.duckdb")
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"Makefile", ".dagster/dagster.yaml"}


def test_clean_leaves_a_lake_whose_history_is_not_the_samples(tmp_path: Path) -> None:
    assert "data/lake is kept: it contains histories that aren't" in _cleaned(
        tmp_path, "mysql://h/shop"
    )
    left = {file.name for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"Makefile", "dagster.yaml", "things_history.parquet"}


@pytest.mark.parametrize("is_alive", [True, False])
def test_only_a_ui_that_lives_keeps_a_second_one_out(is_alive: bool, commands: Commands) -> None:  # noqa: FBT001
    lock = commands.home / "ui.lock"
    lock.write_text("http://127.0.0.1:3999, process 123\n")
    with lock.open() as file, socket.create_server(("127.0.0.1", 0)) as another:
        if is_alive:
            fcntl.flock(file, fcntl.LOCK_EX)
        port = another.getsockname()[1]
        end = commands.end("ui", f"PORT={port}")
    assert end[-2].startswith(
        f"`make ui` is already running on {commands.home}: http://127.0.0.1:3999, process 123. "
        if is_alive
        else f"PORT={port} can't be used: Address already in use"
    )


def test_help_names_every_command(commands: Commands) -> None:
    shown = commands.make("help").stdout
    assert [name for name in COMMANDS if f"  make {name} " not in shown] == []
