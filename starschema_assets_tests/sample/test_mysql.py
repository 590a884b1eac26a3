"""Tests for the sample in a real MariaDB and MySQL: same rows, and valid constraints."""

from pathlib import Path

import duckdb
import pymysql
import pytest
import sqlalchemy

from starschema_assets.sample import mysql
from starschema_assets.sample.mysql import LoadError, load
from starschema_assets.sample.schema import SCHEMA, mysql_tables
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.sample.conftest import DATABASE, PASSWORD, USER
from starschema_assets_tests.sample.contents import TABLES, rows


@pytest.mark.parametrize("table", TABLES)
def test_every_value_arrives_as_it_is_in_the_embedded_database(
    loaded: DatabaseServer, default: Path, table: str
) -> None:
    """NULLs, quotes, line breaks, backslashes, accents, images: read back by PyMySQL."""
    connection = pymysql.connect(
        host="127.0.0.1", port=loaded.port, user=USER, password=PASSWORD, database=DATABASE
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        found = sorted(cursor.fetchall(), key=repr)
    assert found == rows(default, table)


def test_the_collation_groups_what_bytes_split(loaded: DatabaseServer, default: Path) -> None:
    query = "SELECT count(DISTINCT country) FROM customers"
    with duckdb.connect(default, read_only=True) as connection:
        ((by_bytes,),) = connection.execute(query).fetchall()
    assert int(loaded.execute(query, DATABASE)) == by_bytes - 1


def test_a_product_code_in_lower_case_finds_its_product(loaded: DatabaseServer) -> None:
    lower = "FROM orderdetails {} WHERE BINARY orderdetails.productCode LIKE 's%'"
    found = loaded.execute(f"SELECT count(*) {lower.format('')}", DATABASE)
    joined = lower.format("JOIN products USING (productCode)")
    assert int(found) > 0
    assert loaded.execute(f"SELECT count(*) {joined}", DATABASE) == found


def test_the_server_accepts_the_rows_with_its_checks_on(loaded: DatabaseServer) -> None:
    """The unchanged schema.sql, loaded row by row: keys and foreign keys hold for MySQL."""
    loaded.execute("CREATE DATABASE checked")
    loaded.execute(SCHEMA.read_text(encoding="utf-8"), "checked")
    for table in (
        "offices", "employees", "customers", "productlines", "products", "orders",
        "orderdetails", "payments",
    ):  # fmt: skip
        loaded.execute(
            f"SET sql_mode = 'TRADITIONAL'; INSERT INTO {table} SELECT * FROM {DATABASE}.{table}",
            "checked",
        )
    for database in ("checked", DATABASE):
        keys = loaded.execute(
            "SELECT count(*) FROM information_schema.referential_constraints "
            f"WHERE constraint_schema = '{database}'"
        )
        assert int(keys) == 8


def test_tables_that_exist_are_left_alone(loaded: DatabaseServer, tmp_path: Path) -> None:
    url = sqlalchemy.make_url(loaded.url(USER, PASSWORD, DATABASE))
    with pytest.raises(
        LoadError, match=r"already has the tables customers, employees, .*Drop them"
    ):
        load(url, tmp_path)
    assert loaded.execute("SELECT count(*) FROM orders", DATABASE).strip() == "326"


def test_a_server_that_takes_no_files_is_named(server: DatabaseServer, tmp_path: Path) -> None:
    url = sqlalchemy.make_url(server.url(USER, PASSWORD, "nothing"))
    server.execute("SET GLOBAL local_infile = 0")
    try:
        with pytest.raises(LoadError, match="SET GLOBAL local_infile = 1"):
            load(url, tmp_path)
    finally:
        server.execute("SET GLOBAL local_infile = 1")
    assert server.execute("SHOW TABLES", "nothing") == ""


@pytest.mark.parametrize("url", ["duckdb:///x.duckdb", "mysql+pymysql://user@localhost"])
def test_a_url_that_names_no_mysql_database_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"mysql\+pymysql://user:password@host:3306/database"):
        load(sqlalchemy.make_url(url), tmp_path)


def test_a_value_that_the_table_would_cut_is_an_error(
    server: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's schema truncates nothing, so this test uses a narrower one."""
    narrow = {
        table: creation.replace("city VARCHAR(50)", "city VARCHAR(5)")
        for table, creation in mysql_tables().items()
    }
    monkeypatch.setattr(mysql, "mysql_tables", lambda: narrow)
    server.execute("CREATE DATABASE narrow")
    with pytest.raises(LoadError, match=r"table offices: .*'city'"):
        load(sqlalchemy.make_url(server.url(USER, PASSWORD, "narrow")), tmp_path)
