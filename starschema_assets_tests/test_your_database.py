"""Runs the commands of docs/your-database.md on Sakila, which isn't part of this project.

STARSCHEMA_TEST_SAKILA is the folder with `sakila-schema.sql` and `sakila-data.sql`.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from starschema_assets_tests.conftest import PASSWORD
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.project_copy import PAGE, copy_project, refresh_on, run_in
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
    commands = script(server.url("reader", PASSWORD, "sakila"))
    done = run_in(project, commands)
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
    assert _rows(star, "fact_rental") == int(rentals)
    assert _rows(star, "dim_film") == _rows(star, "dim_film_history") == int(films)

    *_, change = re.findall(r'^mysql -e "(UPDATE .*)"$', PAGE, re.MULTILINE)
    *_, question = re.findall(r"^make query .*", PAGE, re.MULTILINE)
    server.execute(change)
    settings = "\n".join(re.findall(r"^export .*", commands, re.MULTILINE))
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    later = settings + refresh_on(tomorrow) + question
    done = run_in(project, later, DAGSTER_HOME=str(project / ".dagster"))
    versions = rf"│ +1 │ +1 │ +0\.99 │ +0001-01-01 │\n│ +1 │ +2 │ +1\.99 │ +{tomorrow} │\n╰"
    assert re.search(versions, done.stdout)
    assert _rates(star, "dim_film") == {Decimal("1.99")}
    assert _rates(star, "fact_rental") == {Decimal("0.99")}


def _file(star: Path, table: str) -> Path:
    return star / table / f"{table}.parquet"


def _rows(star: Path, table: str) -> int:
    return pq.ParquetFile(_file(star, table)).metadata.num_rows


def _rates(star: Path, table: str) -> set[object]:
    """The rental rates of the film that the page changes."""
    film = pq.read_table(_file(star, table), filters=[("film_id", "=", 1)])
    return {*film["rental_rate"].to_pylist()}
