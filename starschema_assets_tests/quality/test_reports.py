"""Findings as Dagster shows them."""

from dagster import TableMetadataValue

from starschema_assets.contract import Column, Contract
from starschema_assets.quality.finding import Finding, mask
from starschema_assets.quality.reports import AuditConfig, gate
from starschema_assets.quality.rows import RowAudit
from starschema_assets_tests.rows import RawTables

QUOTED = Contract(
    stage="raw",
    table='order "lines" of `ours`',
    grain="one row per line",
    description="A table whose names need quotes.",
    key=('a "key"',),
    columns=(
        Column('a "key"', "string", "A key."),
        Column("select", "string", "Free text.", nullable=True),
        Column("secret", "string", "Free text.", nullable=True, personal=True),
    ),
)
COMMENT = "\"Too many ships\",\n| they wrote: 'né' <b>| and " + "so " * 50 + "on"


def _findings() -> list[Finding]:
    connection = RawTables().connection
    table = '"raw"."order ""lines"" of `ours`"'
    connection.execute(
        f'create table {table} ("a ""key""" varchar, "select" varchar, secret varchar)'
    )
    rows = [("a", COMMENT, "Silva"), ("a", COMMENT, "Silva"), (None, COMMENT, "Silva")]
    connection.executemany(f"insert into {table} values (?, ?, ?)", rows)
    audit = RowAudit(connection)
    return [audit.key(QUOTED), *audit.rows(QUOTED)]


def test_names_with_quotes_and_texts_with_line_breaks_are_shown_as_they_are() -> None:
    key, not_null = _findings()
