"""Runs the commands of docs/your-database.md on Sakila, which isn't part of this project.

STARSCHEMA_TEST_SAKILA is the folder with `sakila-schema.sql` and `sakila-data.sql`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from starschema_assets_tests.conftest import PASSWORD
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.project_copy import PAGE, copy_project, run_in
from starschema_assets_tests.servers import KINDS, server_of

SAKILA = os.environ.get("STARSCHEMA_TEST_SAKILA", "")
URL = "mysql+pymysql://reader:password@127.0.0.1:3306/sakila"

pytestmark = pytest.mark.skipif(not SAKILA, reason="STARSCHEMA_TEST_SAKILA names no folder")


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server with Sakila, and a user that may only read."""
    with server_of(request.param) as server:
        for file in ("sakila-schema.sql", "sakila-data.sql"):
            server.execute(Path(SAKILA, file).read_text(encoding="utf-8"))
        server.execute(
            f"create user reader identified by '{PASSWORD}';grant select on sakila.* to reader"
        )
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    copy_project(tmp_path / "project")
    return tmp_path / "project"


APPLY = "from starschema_assets_tests.project_copy import apply; apply()"


def script(url: str) -> str:
    """Return the page's commands, with its diffs applied between them."""
    commands = []
    for kind, text in re.findall(r"^```(sh|diff)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        is_command = kind == "sh"
        commands.append(
            text if is_command else f".venv/bin/python -c '{APPLY}' <<'END'\n{text}END\n"
        )
    return "\n".join(commands).replace(URL, url)


def test_the_page_leads_to_a_star_with_the_sums_of_the_source(
    server: DatabaseServer, project: Path
) -> None:
    assert URL in PAGE
    done = run_in(project, script(server.url("reader", PASSWORD, "sakila")))
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
