"""Tests for the source's metadata and errors, on a real MariaDB and MySQL."""

import traceback
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from starschema_assets.errors import StarschemaError
from starschema_assets.settings import Settings
from starschema_assets.source.database import LeftOut
from starschema_assets.source.errors import SourceError, TableMissing
from starschema_assets.source.mysql import MySQL
from starschema_assets.source.source import Source, SourceColumn, SourceTable
from starschema_assets_tests.source.conftest import PASSWORD, Shop, on_mysql


def test_declares_columns_types_nullability_and_key_in_their_order(shop: Shop) -> None:
    shop.sql(
        """
        CREATE TABLE items (
            product varchar(15) NOT NULL,
            line smallint unsigned NOT NULL,
            price decimal(10,2),
            PRIMARY KEY (line, product)
        );
        CREATE TABLE loose (a int, UNIQUE (a));
        CREATE VIEW cheap AS SELECT line, price FROM items WHERE price < 1;
        """
    )
    declared = shop.source().declared(["loose", "items", "cheap"])
    assert list(declared) == ["loose", "items", "cheap"]
    assert declared["loose"].key == ()
    line = {"MariaDB": "smallint(5) unsigned", "MySQL": "smallint unsigned"}[shop.server.name]
    assert declared["items"] == SourceTable(
        "items",
        (
            SourceColumn("product", "varchar(15)", "string", nullable=False),
            SourceColumn("line", line, "int", nullable=False),
            SourceColumn("price", "decimal(10,2)", "decimal(10,2)", nullable=True),
        ),
        ("line", "product"),
    )
    assert [column.type for column in declared["cheap"].columns] == ["int", "decimal(10,2)"]


def test_a_table_that_is_not_there_is_left_out(shop: Shop) -> None:
    shop.sql("CREATE TABLE t (a int)")
    assert list(shop.source().declared(["t", "gone"])) == ["t"]


def test_if_none_is_there_the_error_lists_those_that_are(shop: Shop) -> None:
    shop.sql("CREATE TABLE t (a int); CREATE TABLE u (a int)")
    with pytest.raises(TableMissing, match=r"no table orders, gone, or .* tables: t, u$"):
        shop.source().declared(["orders", "gone"])


@pytest.mark.parametrize(
    ("declared", "value", "reason", "example"),
    [
        (
            "decimal(65,30)",
            "1.5",
            "decimal(65,30) has more than 38 digits",
            "1.500000000000000000000000000000",
        ),
        ("point", "POINT(1, 2)", "Athena has no type for point", "POINT(1 2)"),
        ("geometry", "POINT(1, 2)", "Athena has no type for geometry", "POINT(1 2)"),
    ],
)
def test_a_column_of_a_type_that_cannot_be_held_is_left_out_and_has_an_example(
    shop: Shop, declared: str, value: str, reason: str, example: str
) -> None:
    shop.sql(
        f"CREATE TABLE t (a int, bad {declared}, b int);"
        f"INSERT INTO t VALUES (1, NULL, 2), (1, {value}, 2)"
    )
    source = shop.source()
    table = source.declared(["t"])["t"]
    assert table.left_out == (LeftOut("bad", declared, reason),)
    assert source.example(table, table.left_out[0]) == example
    assert shop.read("t").to_pydict() == {"a": [1, 1], "b": [2, 2]}


@on_mysql
def test_a_vector_is_left_out_and_shown_as_hexadecimal_digits(shop: Shop) -> None:
    shop.sql(
        "CREATE TABLE t (a int, v vector(2), g geometry);"
        "INSERT INTO t VALUES (7, STRING_TO_VECTOR('[1,2]'), POINT(1, 2))"
    )
    source = shop.source()
    table = source.declared(["t"])["t"]
    assert [column.declared for column in table.left_out] == ["vector(2)", "geometry"]
    assert source.example(table, table.left_out[0]) == "0x0000803F00000040"
    assert shop.read("t").to_pydict() == {"a": [7]}


def failures(shop: Shop, url: str) -> list[SourceError]:
    """Yield a URL's errors for metadata, for a snapshot, and for the extension alone."""
    source = Source(Settings(source_url=url, scratch=shop.scratch))
    errors = []
    with pytest.raises(SourceError) as of_declared:
        source.declared(["t"])
    errors.append(of_declared.value)
    with pytest.raises(SourceError) as of_snapshot, source.snapshot():
        pass
    errors.append(of_snapshot.value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MySQL, "_declares", lambda *_: [])
        with pytest.raises(SourceError) as of_extension, source.snapshot():
            pass
    errors.append(of_extension.value)
    return errors


def assert_keeps_password(error: BaseException, password: str = PASSWORD) -> None:
    """Assert that no error of the chain, and no traceback, contains the password in any form."""
    said = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link:
        said += f"{link}{link!r}{link.args}"
        link = link.__context__
    for form in (password, repr(password)[1:-1], quote(password), quote(password, safe="")):
        assert form not in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("etl:", "etl:not"), r"Access denied for user 'etl'@.*; check user and password"),
        (("etl:", "nobody:"), r"nobody@127.*Access denied .*; check user and password"),
        (("127.0.0.1", "no-such-host.invalid"), r"no-such-host\.invalid:.*; check host and port"),
        (("127.0.0.1:", "127.0.0.1:1"), r"check host and port"),
        (("/shop", "/elsewhere"), r"/elsewhere: .*; check the database"),
    ],
)
def test_a_wrong_part_of_the_url_gives_one_line_without_the_password(
    shop: Shop, change: tuple[str, str], message: str
) -> None:
    url = shop.server.url("etl", PASSWORD, "shop")
    if "127.0.0.1:" in change:
        url = url.replace(str(shop.server.port), "1")
        change = ("", "")
    for error in failures(shop, url.replace(*change)):
        assert "\n" not in str(error)
        assert "mysql://" in str(error)
        assert_keeps_password(error)
        with pytest.raises(SourceError, match=message):
            raise error


def test_a_missing_privilege_gives_one_line_that_says_what_to_grant(shop: Shop) -> None:
    shop.sql("CREATE TABLE seen (a int); CREATE TABLE unseen (a int)")
    shop.sql("REVOKE SELECT ON shop.* FROM etl; GRANT SELECT ON shop.seen TO etl")
    source = shop.source()
    with pytest.raises(TableMissing, match=r"unseen, or the user has no SELECT .*tables: seen$"):
        source.declared(["unseen"])
    denied = pytest.raises(
        SourceError, match=r"denied to user 'etl'.*[`']unseen[`']; grant .*SELECT"
    )
    with denied as error, source.snapshot() as snapshot:
        snapshot.figures("SELECT COUNT(*) FROM unseen")
    assert_keeps_password(error.value)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql+pymysql://etl:{PASSWORD}@host:3306/shop",
        f"mysql+pymysql://etl:{PASSWORD}",
        f"postgresql://etl:{PASSWORD}@host/shop",
        f"mysql+pymysql://etl:{quote(PASSWORD, safe='')}@host",
        f"mysql+pymysql://etl:{quote(PASSWORD, safe='')}@host/shop?ssl_ca=/etc/ca.pem",
        PASSWORD,
    ],
)
def test_a_url_that_cannot_be_used_says_how_it_must_look_without_the_password(url: str) -> None:
    with pytest.raises(StarschemaError, match="STARSCHEMA_SOURCE_URL") as error:
        Source(Settings(source_url=url)).declared([])
    assert_keeps_password(error.value)


def test_nothing_shows_the_password_of_a_source_that_works(
    shop: Shop, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    shop.sql("CREATE TABLE t (a int)")
    source = shop.source()
    table = source.declared(["t"])["t"]
    with suppress(SourceError), source.snapshot() as snapshot:
        snapshot.read(table).read_all()
        snapshot.figures("nonsense")
    parts = [vars(part) for part in vars(source).values() if hasattr(part, "__dict__")]
    shown = f"{source!r}{vars(source)!r}{parts!r}{caplog.text}{capfd.readouterr()}"
    assert PASSWORD not in shown
    assert quote(PASSWORD, safe="") not in shown


def test_making_a_source_touches_no_network(tmp_path: Path) -> None:
    Source(Settings(source_url="mysql+pymysql://etl@no-such-host.invalid/shop", scratch=tmp_path))
