"""Tests for contracts of star tables that are generated from their SQL."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from starschema_assets.authoring.model import main
from starschema_assets.contract import Column, Contract, ForeignKey
from starschema_assets.errors import StarschemaError
from starschema_assets.settings import CHECKOUT
from starschema_assets.star.discovery import FOLDER
from starschema_assets.star.models import MODELS

RAW = (
    Contract(
        "raw",
        "books",
        "one row per isbn",
        "Books.",
        ("isbn",),
        (
            Column("isbn", "string", "Number of the book."),
            Column("title", "string", "Title."),
            Column("price", "decimal(6,2)", "Price paid.", nullable=True, unit="EUR"),
            Column("branch_id", "smallint", "Where it stands.", nullable=True),
        ),
    ),
    Contract(
        "raw",
        "authors",
        "one row per isbn and author",
        "",
        ("isbn", "author"),
        (
            Column("isbn", "string", ""),
            Column("author", "string", "Who wrote it.", personal=True),
        ),
    ),
    Contract(
        "raw",
        "branches",
        "one row per branch_id",
        "",
        ("branch_id",),
        (
            Column("branch_id", "smallint", "Number."),
            Column("name", "string", "Name."),
            Column("head_librarian_id", "int", "Who heads it."),
        ),
    ),
    Contract(
        "raw",
        "librarians",
        "one row per id",
        "",
        ("id",),
        (
            Column("id", "int", "Number."),
            Column("branch_id", "smallint", "Where they work."),
            Column("boss", "int", "Superior.", nullable=True),
        ),
    ),
    Contract(
        "raw",
        "loans",
        "one row per id",
        "",
        ("id",),
        (
            Column("id", "int", "Number of the loan."),
            Column("book_isbn", "string", "Book that was lent."),
            Column("lent_by", "int", "Librarian who lent it."),
            Column("lent", "date", "Day."),
            Column("returned", "date", "Day; NULL until then.", nullable=True),
        ),
    ),
)


class Star:
    """A folder with SQL files and their generated contracts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "steps").mkdir(parents=True)

    def sql(self, **queries: str) -> None:
        """Write SQL files."""
        for table, sql in queries.items():
            (self.folder / f"{table}.sql").write_text(sql)

    def step(self, name: str, sql: str) -> None:
        """Write a step."""
        (self.folder / "steps" / f"{name}.sql").write_text(sql)

    def make(self, *arguments: str) -> None:
        """Run the command."""
        main(arguments, self.folder, RAW)

    def contract(self, table: str) -> Contract:
        """Return the generated contract."""
        contract: Contract = runpy.run_path(str(self.folder / f"{table}.py"))["CONTRACT"]
        return contract

    def made(self, sql: str) -> Contract:
        """Write a table's SQL, run the command, and return its contract."""
        self.sql(made=sql)
        self.make()
        return self.contract("made")


@pytest.fixture
def star(tmp_path: Path) -> Star:
    """An empty folder."""
    return Star(tmp_path / "star")


def test_a_contract_says_what_the_sql_says(star: Star) -> None:
    contract = star.made(
        "-- One row per book,\n-- with its branch.\n"
        "select books.isbn, trim(books.title) as Title, books.price, authors.author as author,"
        "\n  upper(authors.author) as shouted, books.price * 2 as twice\n"
        "from raw.books as books\n"
        "left join raw.authors as authors on books.isbn = authors.isbn and authors.author = 'A'\n"
        "order by books.isbn, Title, upper(books.title)"
    )
    assert contract == Contract(
        stage="star",
        table="made",
        grain="one row per ?",
        description="One row per book, with its branch.",
        key=("isbn",),
        columns=(
            Column("isbn", "string", "Number of the book."),
            Column("Title", "string", "Title."),
            Column("price", "decimal(6,2)", "Price paid.", nullable=True, unit="EUR"),
            Column("author", "string", "Who wrote it.", nullable=True, personal=True),
            Column("shouted", "string", "", nullable=True, personal=True),
            Column("twice", "decimal(16,2)", "", nullable=True),
        ),
        sorted_by=("isbn", "Title"),
    )


@pytest.mark.parametrize(
    ("expression", "is_nullable"),
    [
        ("title", False),
        ("price", True),
        ("trim(title) || isbn", False),
        ("title || cast(price as varchar)", True),
        ("coalesce(price, 0)", False),
        ("coalesce(price, branch_id)", True),
        ("case when price > 1 then 1 else 0 end", False),
        ("case when price > 1 then 1 end", True),
        ("price is null", False),
        ("nullif(title, '')", True),
        ("try_cast(title as int)", True),
        ("length(title) / 0", True),
        ("row_number() over (order by isbn)", False),
        ("lag(title) over (order by isbn)", True),
        ("(select max(title) from raw.books)", True),
    ],
)
def test_what_may_be_null_follows_from_the_expression(
    star: Star, expression: str, *, is_nullable: bool
) -> None:
    contract = star.made(f"select isbn, {expression} as value from raw.books")
    assert contract.columns[1].nullable is is_nullable


@pytest.mark.parametrize(
    ("join", "nullable"),
    [
        ("join", {"one": False, "other": False}),
        ("left join", {"one": False, "other": True}),
        ("right join", {"one": True, "other": False}),
        ("full join", {"one": True, "other": True}),
    ],
)
def test_what_may_be_null_follows_from_the_join(
    star: Star, join: str, nullable: dict[str, bool]
) -> None:
    star.step(
        "joined",
        f"""
        select books.title as one, authors.author as other
        from raw.books as books {join} raw.authors as authors on books.isbn = authors.isbn""",
    )
    contract = star.made("select one, other from star.joined")
    assert {column.name: column.nullable for column in contract.columns} == nullable


@pytest.mark.parametrize(
    ("sql", "nullable"),
    [
        ("select isbn, max(author) as v from raw.authors group by isbn", False),
        ("select max(author) as v from raw.authors", True),
        ("select count(*) as n, isbn as v from raw.authors group by rollup (isbn)", True),
        ("select count(*) as v from raw.authors", False),
        ("select isbn as v from raw.books union all select isbn from raw.authors", False),
        ("select isbn as v from raw.books union all select null", True),
        ("select price as v from raw.books where price is not null and isbn > '1'", False),
        ("select price as v from raw.books where price > branch_id", False),
        ("select price as v from raw.books where price > 1 or branch_id > 1", True),
        ("select price as v from raw.books where price is distinct from 1", True),
    ],
)
def test_what_may_be_null_follows_from_the_query(star: Star, sql: str, *, nullable: bool) -> None:
    assert star.made(sql).columns[-1].nullable is nullable


BOOKS_AND_AUTHORS = "raw.books as b join raw.authors as a on b.isbn = a.isbn"


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        ("select isbn, title from raw.books", ("isbn",)),
        ("select title from raw.books", ()),
        ("select isbn || '!' as isbn from raw.books", ()),
        # A join with at most one match keeps the key; a join that multiplies rows extends it
        (f"select b.isbn, a.author from {BOOKS_AND_AUTHORS}", ("isbn", "author")),
        (f"select b.isbn, b.title from {BOOKS_AND_AUTHORS}", ()),
        (
            (
                "select a.isbn, a.author, b.title from raw.authors as a "
                "join raw.books as b on a.isbn = b.isbn"
            ),
            ("isbn", "author"),
        ),
        (
            (
                "select a.isbn, a.author, b.title from raw.books as b "
                "join raw.authors as a on a.isbn = b.isbn"
            ),
            ("isbn", "author"),
        ),
        # For a book without an author, the author's part of the key would be NULL
        (
            (
                "select b.isbn, a.author from raw.books as b left join raw.authors as a "
                "on b.isbn = a.isbn"
            ),
            (),
        ),
        (
            (
                "select l.id, b.title from raw.loans as l left join raw.books as b "
                "on l.book_isbn = b.isbn"
            ),
            ("id",),
        ),
        # The condition of an outer join holds only if it finds a row
        (
            (
                "select l.id, b.isbn from raw.loans as l join raw.books as b on true "
                "left join raw.authors as a on a.isbn = b.isbn and a.author = 'A' "
                "and l.book_isbn = b.isbn"
            ),
            ("id", "isbn"),
        ),
        ("select isbn, count(*) as n from raw.authors group by rollup (isbn)", ()),
        ("select l.id, b.isbn from raw.loans as l, raw.books as b", ("id", "isbn")),
        ("select isbn, count(*) as n from raw.authors group by isbn", ("isbn",)),
        ("select count(*) as n from raw.authors group by isbn", ()),
        ("select distinct isbn, author from raw.authors", ("isbn", "author")),
        ("select distinct price from raw.books", ()),
        ("select isbn from raw.books union all select isbn from raw.books", ()),
        ("select isbn, unnest([1, 2]) as n from raw.books", ()),
        (
            (
                "with counted as (select isbn, count(*) as n from raw.authors group by isbn) "
                "select b.isbn, n from raw.books as b left join counted on b.isbn = counted.isbn"
            ),
            ("isbn",),
        ),
    ],
)
def test_a_key_is_proposed_only_where_the_joins_keep_it(
    star: Star, sql: str, key: tuple[str, ...]
) -> None:
    assert star.made(sql).key == key


DIMENSIONS = {
    "dim_book": "select isbn, title from raw.books",
    "dim_branch": "select branch_id, name, head_librarian_id from raw.branches",
    "dim_day": "select distinct lent as day from raw.loans",
}


def test_foreign_keys_follow_from_the_raw_keys(star: Star) -> None:
    star.sql(
        **DIMENSIONS,
        dim_librarian="select id, boss from raw.librarians",
        fact_loan="""
            select loans.id, loans.book_isbn, loans.lent_by, books.branch_id, loans.lent, returned
            from raw.loans as loans
            left join raw.books as books on loans.book_isbn = books.isbn
            left join raw.librarians as librarians on loans.lent_by = librarians.id""",
    )
    star.make()
    assert star.contract("fact_loan").foreign_keys == (
        ForeignKey(("book_isbn",), "dim_book"),
        ForeignKey(("branch_id",), "dim_branch"),
        ForeignKey(("lent",), "dim_day"),
        ForeignKey(("returned",), "dim_day"),
        ForeignKey(("lent_by",), "dim_librarian"),
    )
    assert star.contract("dim_branch").foreign_keys == (
        ForeignKey(("head_librarian_id",), "dim_librarian"),
    )
    assert star.contract("dim_book").foreign_keys == ()


def test_a_key_that_would_close_a_circle_is_left_out_and_asked_about(
    star: Star, capsys: pytest.CaptureFixture[str]
) -> None:
    star.sql(
        dim_branch=DIMENSIONS["dim_branch"],
        dim_librarian="select id, branch_id, boss as boss_librarian_id from raw.librarians",
    )
    star.make()
    assert star.contract("dim_branch").foreign_keys == (
        ForeignKey(("head_librarian_id",), "dim_librarian"),
    )
    assert star.contract("dim_librarian").foreign_keys == ()
    assert (
        "star/dim_librarian.py: left out: branch_id may refer to dim_branch, which refers to this "
        "table. Declare only one of the two."
    ) in capsys.readouterr().out
    code = (star.folder / "dim_librarian.py").read_text()
    left_out = 'ForeignKey(("branch_id",), "dim_branch")'
    assert f"# Left out, because dim_branch refers to this table: {left_out}\nCONTRACT" in code


def test_a_table_may_refer_to_itself(star: Star) -> None:
    contract = star.made("""
        select own.id, own.boss from raw.librarians as own
        left join raw.librarians as boss on own.boss = boss.id""")
    assert contract.foreign_keys == (ForeignKey(("boss",), "made"),)


def test_a_foreign_key_to_a_history_is_asked_for(
    star: Star, capsys: pytest.CaptureFixture[str]
) -> None:
    star.sql(
        dim_book="select isbn, title from raw.books",
        fact_loan="""
            select loans.id, loans.book_isbn, books.version as book_version, loans.lent
            from raw.loans as loans
            left join star.dim_book_history as books
              on loans.book_isbn = books.isbn
                and loans.lent >= books.validFrom and loans.lent < books.validTo""",
    )
    star.step("tracked_book", "select isbn, price from raw.books")
    (star.folder / "dim_book.py").write_text(
        "from starschema_assets.contract import Column, Contract, Tracked\n"
        'CONTRACT = Contract("star", "dim_book", "one row per isbn", "", ("isbn",), (\n'
        '    Column("isbn", "string", ""), Column("title", "string", "")),\n'
        '    tracked=Tracked("tracked_book", (Column("price", "decimal(6,2)", ""),)))\n'
    )
    star.make()
    asked = (
        "star/fact_loan.py: the SQL reads star.dim_book_history. If the table has versions, "
        "declare a ForeignKey with the columns that refer to isbn, version and with the column of "
        "the day on which the version is valid."
    )
    assert asked in capsys.readouterr().out
    file = star.folder / "fact_loan.py"
    key = 'ForeignKey(("book_isbn", "book_version"), "dim_book_history", "lent"),'
    file.write_text(file.read_text().replace("foreign_keys=(", f"foreign_keys=({key}"))
    assert len(star.contract("fact_loan").foreign_keys) == 2
    star.make("fact_loan")
    assert "declare a ForeignKey" not in capsys.readouterr().out


def test_what_people_wrote_stays(star: Star, capsys: pytest.CaptureFixture[str]) -> None:
    star.made("select isbn, title, price from raw.books")
    file = star.folder / "made.py"
    code = file.read_text().replace("one row per ?", "one row per book")
    code = code.replace('"string", "Title."', '"string", "What it is called."')
    file.write_text(code.replace("CONTRACT =", "# Books.\nCONTRACT ="))
    star.sql(
        made="select isbn, title, cast(price as decimal(8, 2)) as price, 1 as n from raw.books"
    )
    before = file.read_text()
    capsys.readouterr()
    star.make()
    assert capsys.readouterr().out.startswith("Every SQL file has a contract")
    star.make("made")
    said = capsys.readouterr().out
    assert '+        Column("n", "int", ""),' in said
    assert file.read_text() == before
    star.make("made", "--write")
    assert "# Books.\nCONTRACT =" in file.read_text()
    contract = star.contract("made")
    assert contract.grain == "one row per book"
    assert contract.columns[1:] == (
        Column("title", "string", "What it is called."),
        Column("price", "decimal(8,2)", "Price paid.", nullable=True, unit="EUR"),
        Column("n", "int", ""),
    )
    star.sql(dim_branch=DIMENSIONS["dim_branch"], made="select isbn, branch_id from raw.books")
    star.make()
    capsys.readouterr()
    star.make("made", "--write")
    said = capsys.readouterr().out
    assert 'it doesn\'t declare the possible ForeignKey(("branch_id",), "dim_branch")' in said


@pytest.mark.parametrize(
    ("arguments", "queries", "said"),
    [
        (
            ["sold"],
            {"sole": "select 1 as n"},
            "no star/sold.sql. Existing tables: sole; did you mean sole",
        ),
        (
            [],
            {"made": "select isbn, no from raw.books"},
            'star/made.sql: line 1: Binder Error: .*"no"',
        ),
        ([], {"made": "select isbn from raw.bools"}, "star/made.sql reads raw.bools, .*mean books"),
        ([], {"made": "select isbn,\nfrom raw.books where"}, "star/made.sql, line 2: near 'where'"),
        (
            [],
            {"made": "select isbn, isbn from raw.books"},
            "star/made.sql: columns 'isbn' and 'isbn'",
        ),
    ],
)
def test_what_cannot_be_a_model_is_told(
    star: Star, arguments: list[str], queries: dict[str, str], said: str
) -> None:
    star.sql(**queries)
    with pytest.raises(StarschemaError, match=said):
        star.make(*arguments)


def test_a_part_of_the_project_is_never_overwritten(star: Star) -> None:
    star.sql(job="select isbn from raw.books")
    shutil.copy(FOLDER / "job.py", star.folder)
    with pytest.raises(StarschemaError, match=r"star/job.py is a module of the package. Rename"):
        star.make("--write")


def test_what_is_written_passes_the_project_s_own_checks(star: Star) -> None:
    star.sql(**DIMENSIONS, dim_librarian="select id, branch_id from raw.librarians")
    star.make()
    for file in star.folder.glob("*.py"):
        target = f"starschema_assets/star/{file.name}"
        for command in (["format", "--check"], ["check"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *command, "--stdin-filename", target, "-"],
                input=file.read_bytes(),
                cwd=CHECKOUT,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout.decode()


def test_the_project_s_own_contracts_say_what_their_sql_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = [model.contract.table for model in MODELS if not model.contract.dimension]
    main(own)
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "declare" not in line] == [
        f"star/{table}.py is up to date." for table in own
    ]
