"""Tests for raw contracts that are generated from a real database."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from starschema_assets.authoring.contracts import HEAD, contracts_in, main
from starschema_assets.contract import Column, Contract
from starschema_assets.errors import StarschemaError
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.conftest import PASSWORD, on_both
from starschema_assets_tests.database_server import DatabaseServer

LIBRARY = Path(__file__).with_name("library.sql").read_text(encoding="utf-8")
OF_THE_PROJECT = CHECKOUT / "starschema_assets" / "raw" / "contracts.py"


class Library:
    """A database on a real server, and the file for its contracts."""

    def __init__(self, server: DatabaseServer, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.file = file
        server.execute("drop database if exists lending; create database lending")
        server.execute("grant select on lending.* to reader")
        self.sql(LIBRARY)
        url = server.url("reader", PASSWORD, "lending")
        monkeypatch.setenv("STARSCHEMA_SOURCE_URL", url)

    def sql(self, statements: str) -> None:
        """Change the database."""
        self.server.execute(statements, "lending")

    def contracts(self, *arguments: str) -> dict[str, Contract]:
        """Run the command and return the written contracts by table."""
        main(arguments, self.file)
        return {contract.table: contract for contract in contracts_in(self.file).values()}


@pytest.fixture
def library(
    sample_server: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Library:
    """The library, without contracts."""
    return Library(sample_server, tmp_path / "contracts.py", monkeypatch)


@on_both
def test_a_contract_says_what_the_database_declares(library: Library) -> None:
    contracts = library.contracts()
    assert contracts["readers"] == Contract(
        stage="raw",
        table="readers",
        grain="one row per reader_id",
        description="Who may borrow.",
        key=("reader_id",),
        columns=(
            Column("reader_id", "int", "Number on the card."),
            Column("first_name", "string", "", personal=True),
            Column("last_name", "string", "", personal=True),
            Column("e_mail", "string", "", nullable=True, personal=True),
            Column("birthday", "date", "", nullable=True, personal=True),
            Column(
                "remarks",
                "string",
                'What the desk noted: "late", or isn\'t.',
                nullable=True,
                personal=True,
            ),
            Column("joined", "timestamp", ""),
        ),
    )
    assert contracts["books"].columns == (
        Column("isbn", "string", ""),
        Column("title", "string", ""),
        Column("description", "string", "", nullable=True),
        Column("year_printed", "int", "", nullable=True),
        Column("kind", "string", ""),
        Column("shelves", "string", "", nullable=True),
        Column("cover", "binary", "", nullable=True),
        Column("price", "decimal(6,2)", ""),
    )
    assert contracts["book_authors"].key == ("isbn", "author")
    assert contracts["book_authors"].grain == "one row per isbn and author"
    assert contracts["order"].columns == (
        Column("2nd copy", "tinyint", ""),
        Column("number", "decimal(20,0)", ""),
    )
    assert contracts["stamps"].key == ("code",)
    assert {column.name for column in contracts["branches"].columns if column.personal} == {
        "street"
    }
    assert contracts["librarians"].columns[1].personal is False


@on_both
def test_what_gets_no_contract_is_listed_with_its_reason(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    contracts = library.contracts()
    assert contracts.keys() == {
        "readers", "books", "branches", "librarians", "book_authors", "order", "stamps", "Tags",
    }  # fmt: skip
    include = 'to include it, use TABLES="{}" and write its key'
    cast = "to include it, read a view that casts it"
    assert capsys.readouterr().out.splitlines() == [
        f"books.exact: left out: decimal(65,30) has more than 38 digits; {cast}",
        f"books.place: left out: Athena has no type for point; {cast}",
        f"late: left out: it is a view; {include.format('late')}",
        (
            "lost items: left out: its name has other characters than letters, digits and "
            'underscores; create a view with another name and use TABLES="<view>"'
        ),
        "stamps: it has no primary key; the unique index on code is used instead",
        "tags: left out: its name differs from Tags only in case, and Athena ignores case",
        f"visits: left out: it has no key; {include.format('visits')}",
        "raw/contracts.py was written.",
    ]


@on_both
def test_tables_that_are_chosen_are_taken_without_a_key_too(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    contracts = library.contracts("late", "visits")
    assert contracts.keys() == {"late", "visits"}
    assert contracts["visits"].key == ()
    assert contracts["late"].columns[-1] == Column("days", "bigint", "")
    said = capsys.readouterr().out
    assert "visits: it has no key; write the columns that identify a row" in said
    library.file.write_text(library.file.read_text().replace("key=(),", 'key=("day",),'))
    assert {"late", "visits", "books"} <= library.contracts("--write").keys()
    assert library.contracts()["visits"].key == ("day",)
    said = capsys.readouterr().out
    assert "visits: " not in said
    assert said.endswith("raw/contracts.py is up to date.\n")


@on_both
def test_a_table_that_is_not_there_is_told_with_those_that_are(library: Library) -> None:
    with pytest.raises(
        StarschemaError, match=r"no table book, or .* Available tables: .*did you mean books\?"
    ):
        library.contracts("book")


@on_both
def test_what_people_wrote_stays(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.contracts("readers", "books", "order")
    code = library.file.read_text()
    code = code.replace(
        '"price", "decimal(6,2)", ""', '"price", "decimal(6,2)", "Paid.", unit="EUR"'
    )
    code = code.replace('        Column("title", "string", ""),\n', "")
    code = code.replace("BOOKS = ", "# The books.\nBOOKS = ")
    library.file.write_text(code)
    library.sql(
        "alter table books modify price decimal(8, 2), drop column cover, add column pages int;"
        "alter table readers modify e_mail varchar(80) not null; drop table `order`"
    )
    capsys.readouterr()
    before = library.file.read_text()
    assert library.contracts("readers", "books").keys() == {"readers", "books", "order"}
    assert library.file.read_text() == before
    said = capsys.readouterr().out
    assert '-        Column("cover", "binary", "", nullable=True),' in said
    assert '+        Column("pages", "int", "", nullable=True),' in said
    assert said.endswith('Nothing was written. To write these changes, use ARGS="--write".\n')
    contracts = library.contracts("--write")
    assert "order" not in contracts
    by_name = {column.name: column for column in contracts["books"].columns}
    assert by_name["price"] == Column("price", "decimal(8,2)", "Paid.", nullable=True, unit="EUR")
    assert list(by_name)[:2] == ["isbn", "title"]
    assert "# The books.\nBOOKS = " in library.file.read_text()
    assert contracts["readers"].columns[3] == Column("e_mail", "string", "", personal=True)
    capsys.readouterr()
    library.contracts()
    assert capsys.readouterr().out.endswith("raw/contracts.py is up to date.\n")


@on_both
def test_what_is_written_passes_the_project_s_own_checks(library: Library) -> None:
    comment = "A long comment, \u2019typed\u2019 in the office. " * 12
    library.sql(
        f"alter table books comment '{comment}';"
        "create table contracts (id int primary key); create table `2020` (id int primary key)"
    )
    contracts = library.contracts()
    assert {"contracts", "2020"} <= contracts.keys()
    target = "starschema_assets/raw/contracts.py"
    ruff = [sys.executable, "-m", "ruff"]
    for command in (
        [*ruff, "format", "--check", "--stdin-filename", target, "-"],
        [*ruff, "check", "--stdin-filename", target, "-"],
    ):
        done = subprocess.run(
            command, input=library.file.read_bytes(), cwd=CHECKOUT, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout.decode()
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(library.file)]
    done = subprocess.run(mypy, cwd=CHECKOUT, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


@on_both
def test_two_hundred_tables_take_seconds(library: Library) -> None:
    columns = ", ".join(f"column_{number} varchar(20)" for number in range(20))
    library.sql(
        "".join(
            f"create table table_{number} (id int primary key, {columns});" for number in range(200)
        )
    )
    start = time.monotonic()
    assert len(library.contracts()) == 208
    assert time.monotonic() - start < 10


def test_a_file_without_contracts_is_one_to_begin_with(tmp_path: Path) -> None:
    (tmp_path / "contracts.py").write_text(HEAD)
    assert contracts_in(tmp_path / "contracts.py") == {}


def test_the_file_of_the_project_is_read_in_its_order() -> None:
    assert tuple(contracts_in(OF_THE_PROJECT).values()) == CONTRACTS
