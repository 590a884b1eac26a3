"""Tests the whole path in AWS: from MariaDB to S3, a crawl, and Athena.

The lake is on a real S3 server; Glue, Athena and Secrets Manager are emulated. The emulator
enforces permissions, but it doesn't crawl, and can't read files of another server. So a function
does both when the crawler is started. This test doesn't verify what Glue's crawler would infer.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from dagster import DagsterInstance
from pydantic import SecretStr

from starschema_assets.analytics.query import query, read
from starschema_assets.lake.parquet import read_footer
from starschema_assets.settings import Settings
from starschema_assets_tests.aws_faults import faulty_aws
from starschema_assets_tests.conftest import PASSWORD, Sales
from starschema_assets_tests.emulator import REGION, Credentials, Emulator, emulator
from starschema_assets_tests.pipeline import STAR, Pipeline
from starschema_assets_tests.seaweedfs import OWNER, Identity, SeaweedFS, seaweedfs

BUCKET = "company-lake"
ACTIONS = (
    "secretsmanager:GetSecretValue",
    "glue:GetCrawler",
    "glue:StartCrawler",
    "glue:GetTables",
    "athena:StartQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
)


@dataclass(frozen=True)
class User(Identity):
    """A user with the same keys on both servers."""

    keys: Credentials

    @property
    def access_key(self) -> str:
        return self.keys.access_key

    @property
    def secret_key(self) -> str:
        return self.keys.secret_key


@dataclass(frozen=True)
class Account:
    """An AWS account: the real S3 server, and the emulator for everything else."""

    aws: Emulator
    s3: SeaweedFS

    def client(self, service: str) -> Any:
        """Return a client of the emulator with all permissions."""
        session: Any = self.aws.session
        return session.client(service, endpoint_url=self.aws.url)

    def files(self) -> Any:
        """Return a client of the S3 server with all permissions."""
        return boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.s3.url,
            aws_access_key_id=OWNER.access_key,
            aws_secret_access_key=OWNER.secret_key,
        )

    def set_up(self) -> None:
        """Create what Terraform creates in a real account."""
        self.files().create_bucket(Bucket=BUCKET)
        self.client("s3").create_bucket(Bucket=BUCKET)
        folders = [f"s3://{BUCKET}/lake/star/{table}/" for _, table in STAR]
        self.aws.add_crawler("star-crawler", "sales", *folders)
        results = {"OutputLocation": f"s3://{BUCKET}/results/"}
        self.client("athena").create_work_group(
            Name="analysts", Configuration={"ResultConfiguration": results}
        )
        login = json.dumps({"username": "reader", "password": PASSWORD})
        self.client("secretsmanager").create_secret(Name="source", SecretString=login)

    def stand_in_for_the_crawl(self) -> None:
        """Add each file to Glue's catalog, and copy it to the S3 of the emulator's Athena."""
        for _, table in STAR:
            key = f"lake/star/{table}/{table}.parquet"
            body = self.files().get_object(Bucket=BUCKET, Key=key)["Body"].read()
            self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
            schema = read_footer(pa.BufferReader(body)).schema
            lower = pa.schema([(field.name.lower(), field.type) for field in schema])
            self.aws.describe("sales", table, f"s3://{BUCKET}/lake/star/{table}/", lower)


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account in which the pipeline's user has permissions for ACTIONS and the S3 server."""
    with emulator() as aws:
        keys = aws.user(*ACTIONS)
        user = User("pipeline", ("Read", "Write", "List"), keys)
        with seaweedfs(tmp_path, user) as s3, faulty_aws(aws.url) as proxy:
            account = Account(aws, s3)
            account.set_up()
            proxy.on_start["StartCrawler"] = account.stand_in_for_the_crawl
            for name, value in keys.environment(proxy.url).items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
            yield account


@pytest.mark.usefixtures("account")
def test_athena_answers_to_the_cent_what_the_source_says(
    sales: Sales, instance: DagsterInstance, tmp_path: Path
) -> None:
    settings = Settings(
        source_url=SecretStr(f"mysql+pymysql://127.0.0.1:{sales.server.port}/{sales.database}"),
        source_secret="source",
        lake_uri=f"s3://{BUCKET}/lake",
        scratch=tmp_path / "scratch",
        glue_crawler="star-crawler",
        glue_database="sales",
        athena_workgroup="analysts",
    )
    pipeline = Pipeline(settings, instance)
    assert pipeline.refresh().success
    assert pipeline.crawl().success
    assert pipeline.check("catalog/star_schema:matches_files").passed
    answer = query(read("sales_by_country"), settings)
    by_country = dict(
        zip(answer.table["country"].to_pylist(), answer.table["sales"].to_pylist(), strict=True)
    )
    at_source = sales.sql(
        "select trim(country), sum(quantityOrdered * priceEach) from orderdetails "
        "join orders using (orderNumber) join customers using (customerNumber) group by 1"
    )
    lines = (line.split("\t") for line in at_source.splitlines())
    assert by_country == {country: Decimal(amount) for country, amount in lines}
    assert answer.scanned
    assert answer.cost
