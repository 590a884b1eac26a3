"""Alerts that a real Dagster daemon sends to SNS, read from a queue subscribed to the topic."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterRun
from pydantic import SecretStr

from starschema_assets.orchestration.alerts import KILLED, REASON_LINES, Alert, alert, alert_sensor
from starschema_assets.processes import ATTEMPT_TAG
from starschema_assets.settings import Settings, SettingsError
from starschema_assets_tests.conftest import PASSWORD, Sales
from starschema_assets_tests.daemon import Deployment, deployed, eventually
from starschema_assets_tests.emulator import Emulator, emulator
from starschema_assets_tests.inbox import Inbox
from starschema_assets_tests.pipeline import RAW, STAR, Pipeline

SENSOR = "alert_after_failure"


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulator() as server:
        yield server


@pytest.fixture
def inbox(aws: Emulator) -> Inbox:
    return Inbox(aws)


@pytest.fixture
def deployment(inbox: Inbox, aws: Emulator, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment whose alerts go to the inbox."""
    alerts = {"alert_topic": inbox.topic, "ui_url": "https://dagster.example.org/"}
    publisher = aws.user("sns:Publish")
    with deployed(tmp_path, alerts, publisher.environment(aws.url)) as deployment:
        yield deployment


def test_each_failed_run_is_told_once_however_it_was_started_and_a_good_one_is_not(
    deployment: Deployment, inbox: Inbox
) -> None:
    inbox.open()
    assert deployment.pipeline.refresh(("raw", "offices")).success
    deployment.sql("alter table orders drop column status")
    in_process = deployment.pipeline.refresh(("raw", "orders"))
    with deployment.daemon():
        assert f"/runs/{in_process.run_id}\n" in inbox.wait().text
        launched = deployment.launch()
        message = inbox.wait()
        assert message.subject == "refresh_star_schema failed: raw/orders:source_schema"
        assert f"Run: https://dagster.example.org/runs/{launched.run_id}\n" in message.text
        deployment.await_evaluations(SENSOR)
    assert inbox.take() == []
    assert "FAILURE" not in deployment.evaluations(SENSOR)


def test_a_message_that_sns_refuses_is_sent_again_even_by_the_next_daemon(
    deployment: Deployment, inbox: Inbox
) -> None:
    deployment.sql("alter table orders drop column status")
    run = deployment.pipeline.refresh(("raw", "orders"))
    with deployment.daemon():
        eventually(lambda: "FAILURE" in deployment.evaluations(SENSOR))
    inbox.open()
    with deployment.daemon():
        assert run.run_id in inbox.wait().text


def test_without_a_topic_there_is_no_sensor() -> None:
    assert alert_sensor(Settings()) is None


def test_a_topic_that_is_no_arn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STARSCHEMA_ALERT_TOPIC", "alerts")
    with pytest.raises(SettingsError, match="STARSCHEMA_ALERT_TOPIC"):
        Settings()


def message_of(pipeline: Pipeline) -> Alert:
    """Return the alert for the run that failed last."""
    instance = pipeline.instance
    record = instance.fetch_run_status_changes(DagsterEventType.RUN_FAILURE, limit=1).records[0]
    run = instance.get_run_by_id(record.run_id)
    assert run
    return alert(instance, run, record, "http://127.0.0.1:3000")


def names(tables: Sequence[Sequence[str]]) -> str:
    """Return tables in the form of an alert's list."""
    return ", ".join(sorted("/".join(path) for path in tables))


def test_a_failed_check_is_told_with_its_table_and_reason_and_nothing_personal(
    pipeline: Pipeline, sales: Sales
) -> None:
    sales.sql("alter table customers modify phone varchar(50) null")
    sales.sql("update customers set phone = null, contactLastName = 'Silva'")
    run = pipeline.refresh()
    message = message_of(pipeline)
    assert message.subject == "refresh_star_schema failed: raw/customers:not_null"
    head, reason = message.text.split("\n\nraw_tables: ")
    assert head.splitlines() == [
        "refresh_star_schema failed.",
        "",
        f"Run: http://127.0.0.1:3000/runs/{run.run_id}",
        "Failed checks: raw/customers:not_null",
        f"Not published: {names([*RAW, *STAR])}",
    ]
    assert "\n- raw/customers:not_null: " in reason
    assert "Silva" not in message.text


def test_tables_that_were_published_before_the_failure_are_not_listed(
    pipeline: Pipeline, sales: Sales
) -> None:
    sales.sql("update orderdetails set priceEach = -0.01 where orderLineNumber = 1")
    pipeline.refresh()
    message = message_of(pipeline)
    assert "Failed checks: star/fact_orders:priceEach_not_negative\n" in message.text
    assert f"Not published: {names(STAR)}\n" in message.text


def test_a_warning_of_a_run_that_failed_for_another_reason_is_not_among_its_failed_checks(
    pipeline: Pipeline, sales: Sales
) -> None:
    sales.sql("update orders set orderDate = '2999-01-01' where orderNumber = 10100")
    sales.sql("alter table orders drop column status")
    pipeline.refresh()
    assert "Failed checks: raw/orders:source_schema\n" in message_of(pipeline).text


def test_an_error_is_told_in_its_own_words_without_a_traceback_or_the_password(
    pipeline: Pipeline, sales: Sales
) -> None:
    wrong = sales.url.replace(f"/{sales.database}", "/nowhere")
    settings = pipeline.settings.model_copy(update={"source_url": SecretStr(wrong)})
    Pipeline(settings, pipeline.instance).refresh(("raw", "orders"))
    message = message_of(pipeline)
    assert message.subject == "refresh_star_schema failed"
    assert "Failed checks" not in message.text
    assert "Not published: raw/orders\n" in message.text
    reason = message.text.split("\n\n")[-1]
    assert reason.startswith("raw_tables: mysql://reader@127.0.0.1")
    assert "check the database in STARSCHEMA_SOURCE_URL" in reason
    assert "Traceback" not in message.text
    assert PASSWORD not in message.text


def test_a_long_reason_is_cut_and_a_subject_keeps_to_what_sns_takes(
    pipeline: Pipeline, sales: Sales
) -> None:
    for table, key in [("orders", "orderNumber"), ("payments", "checkNumber")]:
        sales.sql(f"alter table {table} change {key} größe_{key} varchar(50)")
    for column in ["productName", "productScale", "productVendor", "buyPrice", "MSRP"]:
        sales.sql(f"alter table products drop column {column}")
    pipeline.refresh()
    message = message_of(pipeline)
    assert len(message.subject) < 100
    assert message.subject.isascii()
    assert len(message.text.split("\n\n")[-1].splitlines()) <= REASON_LINES + 1


@pytest.mark.parametrize(
    ("attempt", "outlook"),
    [
        ("3 of 4", "3 of 4, killed: it will be retried automatically."),
        (
            "4 of 4",
            "4 of 4, all killed: no more retries. Find the cause, then run crawl_star_schema.",
        ),
    ],
)
def test_a_killed_crawl_says_whether_it_is_tried_again(
    pipeline: Pipeline, attempt: str, outlook: str
) -> None:
    crawl = DagsterRun("crawl_star_schema", tags={ATTEMPT_TAG: attempt})
    pipeline.instance.report_run_failed(pipeline.instance.add_run(crawl), "It was killed.")
    assert message_of(pipeline).text.endswith(f"Attempt: {outlook}\n\nIt was killed.\n\n{KILLED}")
