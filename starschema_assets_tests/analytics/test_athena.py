"""Tests for Athena queries on the emulator, which runs them with DuckDB on files in its own S3."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from starschema_assets import aws
from starschema_assets.analytics import athena
from starschema_assets.analytics.answer import QueryError
from starschema_assets.analytics.query import main, query, questions
from starschema_assets.analytics.report.execution import execute
from starschema_assets.settings import Settings
from starschema_assets.star.models import MODELS
from starschema_assets_tests.analytics.conftest import Star
from starschema_assets_tests.aws_faults import THROTTLED, FaultyAWS, error, faulty_aws
from starschema_assets_tests.emulator import Credentials, Emulator, emulator

ON_AWS = Settings(glue_database="sales", athena_workgroup="analysts")
PERMISSIONS = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults")
TYPES: dict[str, Any] = {
    "Text": pa.array(["it's", "", None]),
    "Money": pa.array([Decimal("0.10"), Decimal("-99.99"), None]),
    "Day": pa.array([date(2024, 2, 29), None, None]),
    "Whole": pa.array([1, None, -3], pa.int32()),
    "Big": pa.array([2**40, None, 0]),
    "Flag": pa.array([True, False, None]),
    "Share": pa.array([0.5, None, -1e300]),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as server:
        server.session.client("s3", endpoint_url=server.url).create_bucket(Bucket="lake")
        glue = server.session.client("glue", endpoint_url=server.url)
        glue.create_database(DatabaseInput={"Name": "sales"})
        workgroups = server.session.client("athena", endpoint_url=server.url)
        workgroups.create_work_group(
            Name="analysts",
            Configuration={"ResultConfiguration": {"OutputLocation": "s3://lake/results/"}},
        )
        workgroups.create_work_group(Name="nowhere")
        yield server


@pytest.fixture(scope="module")
def analyst(server: Emulator) -> Credentials:
    """The user in these tests. The emulator checks no permissions on tables and files."""
    return server.user(*(f"athena:{name}" for name in PERMISSIONS))


@pytest.fixture
def faults(server: Emulator) -> Iterator[FaultyAWS]:
    with faulty_aws(server.url) as faults:
        yield faults


@pytest.fixture
def act_as(faults: FaultyAWS, monkeypatch: pytest.MonkeyPatch) -> Callable[[Credentials], None]:
    def act_as(user: Credentials) -> None:
        for name, value in user.environment(faults.url).items():
            monkeypatch.setenv(name, value)

    return act_as


@pytest.fixture(autouse=True)
def _ask_as_analyst(
    act_as: Callable[[Credentials], None], analyst: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(analyst)
    monkeypatch.setattr(athena, "POLL_SECONDS", 0.05)


@pytest.fixture
def add(server: Emulator) -> Callable[[str, pa.Table], None]:
    """Add a table to S3 and to Glue's catalog, like the pipeline and the crawler."""
    return lambda name, rows: server.add_table("sales", name, "lake", rows)


def test_the_projects_questions_are_answered_as_on_the_embedded_catalog(
    star: Star, add: Callable[[str, pa.Table], None]
) -> None:
    for name, *_ in star.connection.sql("show tables").fetchall():
        add(name, star.connection.sql(f"from main.{name}").to_arrow_table())
    for name, file in questions().items():
        answer = query(file.read_text(encoding="utf-8"), ON_AWS)
        found = [tuple(row.values()) for row in answer.table.to_pylist()]
        assert found == star.answer(name), name


def test_the_notebook_runs_as_on_the_embedded_catalog(
    star: Star, add: Callable[[str, pa.Table], None]
) -> None:
    for model in MODELS:
        name = model.contract.table
        add(name, star.connection.sql(f"from main.{name}").to_arrow_table())
    cells = {cell.id: cell for cell in execute(ON_AWS).cells}
    shown = {
        name: cell.outputs[0].data["text/html"]
        for name, cell in cells.items()
        if cell.get("outputs")
    }
    assert "Source: Athena, database sales, workgroup analysts" in shown["connect"]
    assert "$94.30" in shown["by-country"]
    assert '"cents":[3000,6030,675,400]' in shown["dashboard"]


def test_values_come_back_exactly_with_null_and_empty_text_apart(
    add: Callable[[str, pa.Table], None],
) -> None:
    rows = pa.table(TYPES)
    add("types", rows)
    answer = query('select * from types order by "Whole" desc nulls last', ON_AWS)
    assert answer.table.to_pylist() == rows.take([0, 2, 1]).to_pylist()
    assert answer.table.schema.field("Money").type == pa.decimal128(38, 2)
    assert answer.table.schema.field("Day").type == pa.date32()


def test_an_empty_answer_keeps_its_columns(add: Callable[[str, pa.Table], None]) -> None:
    add("types", pa.table(TYPES))
    table = query('select "Day", "Money" from types where 1 = 0', ON_AWS).table
    assert (table.num_rows, table.column_names) == (0, ["Day", "Money"])
    assert pa.types.is_decimal(table.schema.field("Money").type)


def test_every_page_of_an_answer_is_fetched() -> None:
    table = query("select range as n from range(2500)", ON_AWS).table
    assert table.column("n").to_pylist() == list(range(2500))


def test_percent_signs_reach_athena() -> None:
    assert query("select 'a' like '%a' as found", ON_AWS).table.to_pylist() == [{"found": True}]


def test_what_athena_read_and_charges_is_told(faults: FaultyAWS) -> None:
    def statistics(answer: dict[str, Any]) -> None:
        answer["QueryExecution"]["Statistics"] |= {
            "DataScannedInBytes": 3 * 2**40,
            "EngineExecutionTimeInMillis": 1250,
        }

    faults.alter["GetQueryExecution"] = statistics
    answer = query("select 1 as one", ON_AWS)
    assert (answer.scanned, answer.cost, answer.seconds) == (3 * 2**40, Decimal(15), 1.25)


@pytest.mark.parametrize(
    ("scanned", "usd"),
    [
        (0, "0.0000476837158203125"),
        (10 * 2**20, "0.0000476837158203125"),
        (10 * 2**20 + 1, "0.00005245208740234375"),
        (2**40, "5"),
    ],
)
def test_a_query_costs_its_whole_megabytes_and_ten_at_least(scanned: int, usd: str) -> None:
    assert athena.cost(scanned) == Decimal(usd)


def test_a_statement_that_is_no_query_costs_nothing(faults: FaultyAWS) -> None:
    faults.alter["GetQueryExecution"] = lambda answer: answer["QueryExecution"].update(
        StatementType="UTILITY"
    )
    assert query("show tables", ON_AWS).cost == 0


def test_the_query_runs_in_the_workgroup_and_the_database(server: Emulator) -> None:
    query("select 42 as answer", ON_AWS)
    client = server.session.client("athena", endpoint_url=server.url)
    ids = client.list_query_executions(WorkGroup="analysts")["QueryExecutionIds"]
    runs = client.batch_get_query_execution(QueryExecutionIds=ids[:50])["QueryExecutions"]
    run = next(run for run in runs if run["Query"] == "select 42 as answer")
    assert run["QueryExecutionContext"]["Database"] == "sales"
    assert run["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/results/")


def test_a_failed_query_says_why() -> None:
    with pytest.raises(QueryError, match=r"Athena query failed: .*colour"):
        query("select colour from (select 1 as one)", ON_AWS)


def test_a_malformed_query_says_where(faults: FaultyAWS) -> None:
    """Athena rejects it before it runs; in the emulator it fails while it runs."""
    message = "line 1:1: mismatched input 'selekt'. Expecting: 'ALTER', 'ANALYZE', 'CALL'"
    faults.refuse["StartQueryExecution"] = [
        error("InvalidRequestException", message, AthenaErrorCode="MALFORMED_QUERY")
    ]
    with pytest.raises(QueryError, match="Athena rejected the query: line 1:1: mismatched input"):
        query("selekt 1", ON_AWS)


def test_a_missing_workgroup_is_named(faults: FaultyAWS) -> None:
    """The emulator accepts any name, so the error is faked."""
    faults.refuse["StartQueryExecution"] = [
        error("InvalidRequestException", "WorkGroup analysts is not found.")
    ]
    with pytest.raises(QueryError, match="workgroup analysts can't be used: create or enable it"):
        query("select 1", ON_AWS)


def test_a_workgroup_without_a_place_for_results_is_named() -> None:
    settings = ON_AWS.model_copy(update={"athena_workgroup": "nowhere"})
    with pytest.raises(QueryError, match="workgroup nowhere has no query result location: set one"):
        query("select 1", settings)


@pytest.mark.parametrize("missing", PERMISSIONS)
def test_a_missing_permission_is_named(
    server: Emulator, act_as: Callable[[Credentials], None], missing: str
) -> None:
    act_as(server.user(*(f"athena:{name}" for name in PERMISSIONS if name != missing)))
    with pytest.raises(QueryError, match=f"analysts: allow athena:{missing} to these credentials"):
        query("select 1", ON_AWS)


def test_throttling_is_waited_out(faults: FaultyAWS) -> None:
    faults.refuse["StartQueryExecution"] = [THROTTLED]
    faults.refuse["GetQueryResults"] = [THROTTLED]
    assert query("select 1 as one", ON_AWS).table.to_pylist() == [{"one": 1}]


def test_an_endpoint_that_nobody_listens_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(QueryError, match=r"AWS can't be reached.*127\.0\.0\.1:1"):
        query("select 1", ON_AWS)


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(QueryError, match="region"):
        query("select 1", ON_AWS)


def test_the_command_shows_bytes_and_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STARSCHEMA_GLUE_DATABASE", "sales")
    monkeypatch.setenv("STARSCHEMA_ATHENA_WORKGROUP", "analysts")
    monkeypatch.setattr("sys.argv", ["query", "select 1 as one"])
    main()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("1 row, ")
    assert last.endswith("bytes scanned, 0.000048 USD")


def test_a_command_that_fails_on_athena_says_what_athena_says(
    faults: FaultyAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STARSCHEMA_GLUE_DATABASE", "sales")
    monkeypatch.setattr("sys.argv", ["query", "select 1"])
    faults.refuse["StartQueryExecution"] = [error("InvalidRequestException", "line 1:8: no")]
    with pytest.raises(QueryError, match=r"^Athena rejected the query: line 1:8: no$"):
        main()
