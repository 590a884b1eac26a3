"""Findings as Dagster's check results."""

import duckdb
import pytest
from dagster import AssetCheckSeverity, Failure, TableMetadataValue

from starschema_assets.contract import Column, Contract
from starschema_assets.engine import DuckDBTables
from starschema_assets.orchestration.reports import AuditConfig, gate
from starschema_assets.quality.audit import RowAudit
from starschema_assets_tests.rows import RawTables

NOTES = Contract(
    stage="raw",
    table="order",
    grain="one row per note",
    description="A table with names that SQL has other uses for.",
    key=("group",),
    columns=(
        Column("group", "string", "A key."),
        Column("select", "string", "Free text.", nullable=True),
        Column("where", "string", "Free text of a person.", nullable=True, personal=True),
    ),
)
TEXT = "\"Too many ships\",\n| they wrote: 'né' <b>\t|"


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """A table of notes, with one row whose key is NULL."""
    connection = RawTables().connection
    connection.execute(
        'create table raw."order" ("group" varchar, "select" varchar, "where" varchar)'
    )
    rows = [("a", TEXT, "Silva"), ("a", "x" * 100, "Silva"), (None, TEXT, "Silva")]
    connection.executemany('insert into raw."order" values (?, ?, ?)', rows)
    return connection


@pytest.fixture
def audit(connection: duckdb.DuckDBPyConnection) -> RowAudit:
    """The audit of the notes."""
    return RowAudit(DuckDBTables(connection))


def test_examples_show_any_text_under_any_name_and_nothing_personal(audit: RowAudit) -> None:
    everything = AuditConfig(accept=["raw/order:key", "raw/order:not_null"])
    key, not_null = gate([audit.key(NOTES), *audit.rows(NOTES)], everything)
    assert key.metadata["offending_rows"].value == 2
    assert isinstance(key.metadata["examples"], TableMetadataValue)
    assert [r.data for r in key.metadata["examples"].records] == [{"group": "a", "rows": 2}]
    assert isinstance(not_null.metadata["examples"], TableMetadataValue)
    assert [r.data for r in not_null.metadata["examples"].records] == [
        {"group": "NULL", "select": TEXT, "where": "***"}
    ]


def test_a_long_text_is_cut_off(connection: duckdb.DuckDBPyConnection, audit: RowAudit) -> None:
    connection.execute("""update raw."order" set "select" = repeat('x', 100)""")
    *_, not_null = [audit.key(NOTES), *audit.rows(NOTES)]
    assert not_null.examples[0]["select"] == "x" * 80 + "…"


def test_every_finding_is_reported_before_the_first_blocking_one_fails_the_step(
    audit: RowAudit,
) -> None:
    findings = [audit.key(NOTES), *audit.rows(NOTES)]
    results = gate(findings, AuditConfig(accept=["raw/order:not_null"]))
    key, not_null = next(results), next(results)
    assert (key.check_name, key.passed, key.severity) == ("key", False, AssetCheckSeverity.ERROR)
    assert not_null.check_name == "not_null"
    assert (not_null.passed, not_null.severity) == (False, AssetCheckSeverity.WARN)
    with pytest.raises(Failure) as failure:
        next(results)
    assert failure.value.description == (
        "Checks failed, so this step published nothing:\n"
        "- raw/order:key: offending rows: 2: group is unique.\n"
        'See "A check failed" in docs/runbook.md.'
    )
