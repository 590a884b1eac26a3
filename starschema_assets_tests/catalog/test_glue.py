"""The Glue catalog with an AWS emulator, and with injected responses that only AWS gives."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from starschema_assets import aws
from starschema_assets.catalog import waiting
from starschema_assets.catalog.catalog import CatalogError
from starschema_assets.catalog.glue import GlueCatalog
from starschema_assets.settings import Settings
from starschema_assets_tests.aws_faults import THROTTLED, FaultyAWS, error, faulty_aws
from starschema_assets_tests.emulator import (
    PARQUET_INPUT,
    PARQUET_SERDE,
    Credentials,
    Emulator,
    emulator,
)

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

CRAWLER = "star crawler"
DATABASE = "sales"
LOG = logging.getLogger("crawl")


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as server:
        server.add_crawler(CRAWLER, DATABASE)
        server.add_crawler("of another", "other")
        yield server


@pytest.fixture(scope="module")
def user(server: Emulator) -> Credentials:
    """The credentials of the pipeline. It needs only these three permissions to crawl."""
    return server.user("glue:GetCrawler", "glue:GetTables", "glue:StartCrawler")


@pytest.fixture
def faults(server: Emulator) -> Iterator[FaultyAWS]:
    with faulty_aws(server.url) as faults:
        yield faults


@pytest.fixture
def glue(server: Emulator) -> "GlueClient":
    """A client with full permissions. The crawler is idle and the database empty."""
    client = server.session.client("glue", endpoint_url=server.url)
    while client.get_crawler(Name=CRAWLER)["Crawler"]["State"] != "READY":
        time.sleep(0.1)
    for table in client.get_tables(DatabaseName=DATABASE)["TableList"]:
        client.delete_table(DatabaseName=DATABASE, Name=table["Name"])
    return client


@pytest.fixture
def act_as(faults: FaultyAWS, monkeypatch: pytest.MonkeyPatch) -> Callable[[Credentials], None]:
    def act_as(user: Credentials) -> None:
        for name, value in user.environment(faults.url).items():
            monkeypatch.setenv(name, value)

    return act_as


@pytest.fixture(autouse=True)
def _crawl_as_user(
    act_as: Callable[[Credentials], None], user: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(user)
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)


def catalog(crawler: str = CRAWLER, database: str = DATABASE, timeout: int = 30) -> GlueCatalog:
    return GlueCatalog(
        Settings(glue_crawler=crawler, glue_database=database, crawl_timeout=timeout)
    )


def table(name: str, column: str = "orderNumber", **changes: Any) -> Any:
    """Return a table as a crawler describes a Parquet file."""
    storage = {
        "InputFormat": PARQUET_INPUT,
        "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE},
        "Columns": [{"Name": column, "Type": "int"}],
        "Location": f"s3://lake/star/{name}/",
    }
    return {"Name": name, "StorageDescriptor": storage | changes}


def test_a_crawl_tells_what_became_of_each_table(glue: "GlueClient", faults: FaultyAWS) -> None:
    for name in ("gone", "kept", "altered", "touched"):
        glue.create_table(DatabaseName=DATABASE, TableInput=table(name))

    def crawl_as_glue_would() -> None:
        glue.create_table(DatabaseName=DATABASE, TableInput=table("new"))
        glue.update_table(DatabaseName=DATABASE, TableInput=table("altered", "orderLineNumber"))
        counted = table("touched") | {"Parameters": {"recordCount": "7"}}
        glue.update_table(DatabaseName=DATABASE, TableInput=counted)
        glue.delete_table(DatabaseName=DATABASE, Name="gone")

    faults.on_start["StartCrawler"] = crawl_as_glue_would
    crawl = catalog().crawl(LOG)
    assert crawl.added == ("new",)
    assert crawl.updated == ("altered",)
    assert crawl.unchanged == ("kept", "touched")
    assert crawl.removed == ("gone",)
    assert crawl.seconds > 0
    console = "https://us-east-1.console.aws.amazon.com"
    assert crawl.links == {
        "Glue crawler": f"{console}/glue/home?region=us-east-1"
        "#/v2/data-catalog/crawlers/view/star%20crawler",
        "Glue database": f"{console}/glue/home?region=us-east-1"
        "#/v2/data-catalog/databases/view/sales",
        "Athena": f"{console}/athena/home?region=us-east-1#/query-editor",
    }


def test_a_crawl_is_over_when_it_has_ended_and_not_when_it_has_begun(
    glue: "GlueClient", faults: FaultyAWS
) -> None:
    catalog().crawl(LOG)
    crawler = glue.get_crawler(Name=CRAWLER)["Crawler"]
    assert crawler["State"] == "READY"
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    assert faults.asked.count("StartCrawler") == 1


def test_a_busy_crawler_is_waited_for_and_then_crawls_again(
    glue: "GlueClient", faults: FaultyAWS, caplog: pytest.LogCaptureFixture
) -> None:
    """A crawl in progress may have listed the files before the last one was published."""
    first = 0.0

    def someone_else_starts_it() -> None:
        nonlocal first
        if not first:
            glue.start_crawler(Name=CRAWLER)
            first = time.time()

    faults.on_start["GetTables"] = someone_else_starts_it
    with caplog.at_level(logging.INFO):
        catalog().crawl(LOG)
    assert "busy with an earlier crawl (RUNNING)" in caplog.text
    last = glue.get_crawler(Name=CRAWLER)["Crawler"]["LastCrawl"]
    assert last["StartTime"].timestamp() > first


def test_a_stopping_crawler_is_waited_for(
    glue: "GlueClient", faults: FaultyAWS, caplog: pytest.LogCaptureFixture
) -> None:
    faults.refuse["StartCrawler"] = [
        error("CrawlerStoppingException", f"Crawler with name {CRAWLER} is stopping")
    ]
    with caplog.at_level(logging.INFO):
        catalog().crawl(LOG)
    assert "busy with an earlier crawl" in caplog.text
    assert glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "READY"


def test_an_answer_from_before_the_start_is_not_taken_for_the_end(
    faults: FaultyAWS, caplog: pytest.LogCaptureFixture
) -> None:
    """For a moment, Glue may still return READY and the previous crawl."""
    catalog().crawl(LOG)
    faults.asked.clear()
    stale = 3
    before: dict[str, Any] = {}

    def show_the_crawl_before(answer: dict[str, Any]) -> None:
        nonlocal stale, before
        if "StartCrawler" not in faults.asked:
            before = answer["Crawler"]
        elif stale:
            stale -= 1
            answer["Crawler"] = before

    faults.alter["GetCrawler"] = show_the_crawl_before
    with caplog.at_level(logging.INFO):
        catalog().crawl(LOG)
    assert stale == 0
    assert "READY, but its last crawl is the previous one" in caplog.text


def test_a_clock_of_glue_that_differs_from_ours_does_no_harm(faults: FaultyAWS) -> None:
    """Only times of Glue are compared with each other. Here Glue's clock is a day behind."""

    def a_day_before(answer: dict[str, Any]) -> None:
        if last := answer["Crawler"].get("LastCrawl"):
            last["StartTime"] -= 86_400

    faults.alter["GetCrawler"] = a_day_before
    assert catalog().crawl(LOG).added == ()


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_crawl_that_ends_otherwise_than_well_is_an_error(
    glue: "GlueClient", faults: FaultyAWS, status: str
) -> None:
    def end(answer: dict[str, Any]) -> None:
        last = answer["Crawler"].get("LastCrawl")
        if last:
            last |= {
                "Status": status,
                "ErrorMessage": "Insufficient Lake Formation permission(s)",
                "LogGroup": "/aws-glue/crawlers",
                "LogStream": CRAWLER,
            }

    faults.alter["GetCrawler"] = end
    with pytest.raises(CatalogError) as raised:
        catalog().crawl(LOG)
    assert str(raised.value) == (
        f"The crawl of star crawler ended as {status}: Insufficient Lake Formation permission(s). "
        "Its log: https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        "#logsV2:log-groups/log-group/$252Faws-glue$252Fcrawlers/log-events/star$2520crawler"
    )
    assert glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "READY"


def test_a_crawl_that_takes_too_long_says_in_which_state_it_is(faults: FaultyAWS) -> None:
    def never_ready(answer: dict[str, Any]) -> None:
        if "StartCrawler" in faults.asked:
            answer["Crawler"]["State"] = "STOPPING"

    faults.alter["GetCrawler"] = never_ready
    with pytest.raises(CatalogError, match=r"within 1 s; last seen: STOPPING.*CRAWL_TIMEOUT"):
        catalog(timeout=1).crawl(LOG)


def test_the_time_limit_includes_the_wait_for_a_busy_crawler(faults: FaultyAWS) -> None:
    busy = error("CrawlerRunningException", f"Crawler with name {CRAWLER} has already started")
    faults.refuse["StartCrawler"] = [busy] * 100
    with pytest.raises(CatalogError, match="within 1 s; last seen: busy with an earlier crawl"):
        catalog(timeout=1).crawl(LOG)


def test_throttling_is_waited_out(faults: FaultyAWS) -> None:
    for operation in ("GetCrawler", "GetTables", "StartCrawler"):
        faults.refuse[operation] = [THROTTLED]
    faults.refuse["StartCrawler"].append(THROTTLED)
    catalog().crawl(LOG)
    assert faults.refuse == {"GetCrawler": [], "GetTables": [], "StartCrawler": []}


def test_throttling_without_end_is_named(
    faults: FaultyAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "ATTEMPTS", 2)
    faults.refuse["StartCrawler"] = [THROTTLED] * 10
    with pytest.raises(CatalogError, match="glue:StartCrawler was throttled 2 times; try again"):
        catalog().crawl(LOG)


def test_a_missing_crawler_is_named() -> None:
    with pytest.raises(CatalogError, match="no Glue crawler absent in us-east-1: create it, or"):
        catalog(crawler="absent").crawl(LOG)


def test_a_missing_database_is_named(faults: FaultyAWS) -> None:
    faults.refuse["GetTables"] = [
        error("EntityNotFoundException", f"Database {DATABASE} not found.")
    ]
    with pytest.raises(CatalogError, match="no Glue database sales in us-east-1: create it, or"):
        catalog().crawl(LOG)


def test_a_crawler_of_another_database_is_not_started(faults: FaultyAWS) -> None:
    with pytest.raises(CatalogError, match="writes to the database other, not to sales"):
        catalog(crawler="of another").crawl(LOG)
    assert "StartCrawler" not in faults.asked


@pytest.mark.parametrize("operation", ["GetCrawler", "GetTables", "StartCrawler"])
def test_a_missing_permission_is_named(
    server: Emulator, act_as: Callable[[Credentials], None], operation: str
) -> None:
    allowed = {"GetCrawler", "GetTables", "StartCrawler"} - {operation}
    act_as(server.user(*(f"glue:{name}" for name in allowed)))
    with pytest.raises(CatalogError, match=f"allow glue:{operation} to these credentials: User: "):
        catalog().crawl(LOG)


def test_refused_credentials_are_named(
    server: Emulator, act_as: Callable[[Credentials], None]
) -> None:
    user = server.user("glue:*")
    act_as(Credentials(user.access_key, "mistyped"))
    with pytest.raises(CatalogError, match=r"accept these credentials.*InvalidSignatureException"):
        catalog().tables()


def test_an_endpoint_that_nobody_listens_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(CatalogError, match=r"AWS can't be reached.*127.0.0.1:1"):
        catalog().tables()


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(CatalogError, match="You must specify a region"):
        catalog().tables()


@pytest.mark.parametrize("missing", ["glue_crawler", "glue_database"])
def test_crawler_and_database_are_needed_both(missing: str) -> None:
    settings = Settings(glue_crawler="c", glue_database="d").model_copy(update={missing: None})
    with pytest.raises(CatalogError, match="both STARSCHEMA_GLUE_CRAWLER and STARSCHEMA_GLUE_DAT"):
        GlueCatalog(settings)


def test_a_table_is_described_as_glue_has_it(glue: "GlueClient") -> None:
    columns = [
        {"Name": "orderNumber", "Type": "int"},
        {"Name": "orderamount", "Type": "decimal(20,2)"},
    ]
    fact = table("fact_orders", Columns=columns)
    fact["PartitionKeys"] = [{"Name": "year", "Type": "string"}]
    glue.create_table(DatabaseName=DATABASE, TableInput=fact)
    found = catalog().tables()["fact_orders"]
    assert found.columns == (("orderNumber", "int"), ("orderamount", "decimal(20,2)"))
    assert found.location == "s3://lake/star/fact_orders/"
    assert found.format == "parquet"
    assert found.partition_keys == (("year", "string"),)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (
            {"InputFormat": "org.apache.hadoop.mapred.TextInputFormat"},
            "ParquetHiveSerDe with TextInputFormat",
        ),
        (
            {"SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}},
            "JsonSerDe with MapredParquetInputFormat",
        ),
        ({"SerdeInfo": {}, "InputFormat": ""}, "nothing with nothing"),
    ],
)
def test_a_format_is_parquet_only_if_both_of_its_classes_are(
    glue: "GlueClient", changes: dict[str, Any], shown: str
) -> None:
    glue.create_table(DatabaseName=DATABASE, TableInput=table("t", **changes))
    assert catalog().tables()["t"].format == shown


def test_every_page_of_tables_is_read(glue: "GlueClient", faults: FaultyAWS) -> None:
    """The emulator returns all tables in one page, Glue in pages of 100."""
    for name in ("a", "b"):
        glue.create_table(DatabaseName=DATABASE, TableInput=table(name))

    def one_at_a_time(answer: dict[str, Any]) -> None:
        page = faults.asked.count("GetTables") - 1
        answer["TableList"] = answer["TableList"][page : page + 1]
        if page == 0:
            answer["NextToken"] = "1"

    faults.alter["GetTables"] = one_at_a_time
    assert catalog().tables().keys() == {"a", "b"}


def test_a_forgotten_table_goes_from_glue_by_who_may_delete(
    server: Emulator, glue: "GlueClient", act_as: Callable[[Credentials], None]
) -> None:
    for name in ("dim_shelves", "kept"):
        glue.create_table(DatabaseName=DATABASE, TableInput=table(name))
    with pytest.raises(CatalogError, match="DeleteTable"):
        catalog().forget("dim_Shelves")
    act_as(server.user("glue:GetTables", "glue:DeleteTable"))
    catalog().forget("dim_Shelves")
    catalog().forget("never_there")
    assert list(catalog().tables()) == ["kept"]
