"""docs/your-database.md, command by command, on Sakila, which is not part of this project.

STARSCHEMA_TEST_SAKILA names the folder with `sakila-schema.sql` and `sakila-data.sql`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.conftest import PASSWORD
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.servers import KINDS, server_of

SAKILA = os.environ.get("STARSCHEMA_TEST_SAKILA", "")
URL = "mysql+pymysql://reader:password@127.0.0.1:3306/sakila"
PAGE = (CHECKOUT / "docs" / "your-database.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(not SAKILA, reason="STARSCHEMA_TEST_SAKILA names no folder")


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server with Sakila and a reader."""
    with server_of(request.param) as server:
        for file in ("sakila-schema.sql", "sakila-data.sql"):
            server.execute(Path(SAKILA, file).read_text(encoding="utf-8"))
        server.execute(
            f"create user reader identified by '{PASSWORD}';grant select on sakila.* to reader"
        )
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with its environment and an instance of Dagster of its own."""
    made = (".git", ".venv", ".mysql", "data", "build", "dist", "*.egg-info", ".*_cache", "*.log")
    shutil.copytree(
        CHECKOUT,
        tmp_path / "project",
        ignore=shutil.ignore_patterns(*made, "__pycache__", "storage"),
    )
    (tmp_path / "project" / ".venv").symlink_to(CHECKOUT / ".venv")
    return tmp_path / "project"


APPLY = "from starschema_assets_tests.test_your_database import apply; apply()"


def script(url: str) -> str:
    """The page's commands, with its differences applied between them."""
    # The environment is there: make would install it where it finds newer files
    commands = ['make() { command make -o .venv/installed "$@"; }']
    for kind, text in re.findall(r"^```(sh|diff)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        is_command = kind == "sh"
        commands.append(
            text if is_command else f".venv/bin/python -c '{APPLY}' <<'END'\n{text}END\n"
        )
    return "\n".join(commands).replace(URL, url)


def apply() -> None:
    """Change a file as a difference on the standard input says, wherever the lines stand in it."""
    head, *hunks = re.split(r"^@@.*\n", sys.stdin.read(), flags=re.MULTILINE)
    file = Path(head.split("+++ b/")[1].strip())
    code = file.read_text(encoding="utf-8")
    for hunk in hunks:
        before, after = (
            "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] != mark)
            for mark in "+-"
        )
        if code.count(before) != 1:
            raise ValueError(f"{file} doesn't have these lines once:\n{before}")
        code = code.replace(before, after)
    file.write_text(code, encoding="utf-8")


def test_the_page_leads_to_a_star_with_the_sums_of_the_source(
    server: DatabaseServer, project: Path
) -> None:
    foreign = ("STARSCHEMA_", "DAGSTER_", "AWS_", "MAKE", "MFLAGS")
    others = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    assert URL in PAGE
    done = subprocess.run(
        ["bash", "-euc", script(server.url("reader", PASSWORD, "sakila"))],
        cwd=project,
        env=others,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    assert "\nPayments by category\n" in done.stdout
    payments, amount, rentals, films = server.execute(
        "select (select count(*) from payment), (select sum(amount) from payment), "
        "(select count(*) from rental), (select count(*) from film)",
        "sakila",
    ).split()
    assert (payments, amount, rentals) == ("16049", "67416.51", "16044")
    assert re.search(rf"{payments} │ +{amount} │\n╰", done.stdout)
    star = project / "data" / "sakila" / "lake" / "star"
    assert _rows(star / "fact_rental" / "fact_rental.parquet") == int(rentals)
    assert _rows(star / "dim_film" / "dim_film.parquet") == int(films)


def _rows(file: Path) -> int:
    return pq.ParquetFile(file).metadata.num_rows
