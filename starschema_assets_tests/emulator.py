"""Runs an AWS emulator for tests: ministack, an HTTP server in its own virtual environment.

It emulates Glue, Athena, IAM, S3, Secrets Manager and SNS, and enforces signatures and IAM
policies. Athena runs queries with DuckDB. A crawler runs for CRAWL_SECONDS and catalogs nothing;
tests do the work of a crawl with `on_start` of `aws_faults`.
"""

import json
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.x509 import IPAddress

from starschema_assets.types import athena_type
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.environment import python_with
from starschema_assets_tests.seaweedfs import free_ports

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableInputTypeDef

PACKAGES = ("ministack==1.5.33", "duckdb==1.5.5")
"""ministack pins another botocore; its Athena needs DuckDB."""

REGION = "us-east-1"
PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
CRAWL_SECONDS = 0.5
SERVER = Path(__file__).with_name("emulator_server.py")
START_TIMEOUT = 60


@dataclass(frozen=True)
class Credentials:
    """The keys of a user of the emulator."""

    access_key: str
    secret_key: str

    def environment(self, url: str) -> dict[str, str]:
        """Return AWS environment variables for this user and endpoint."""
        return {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


ROOT = Credentials("test", "test")
"""User with all permissions."""


@dataclass(frozen=True)
class Call:
    """A request that the emulator authorized or denied."""

    who: str
    """ARN of a user or of a role's session."""
    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    url: str
    record: Path
    """File to which the server writes a line per authorization."""

    @property
    def calls(self) -> list[Call]:
        """Return all requests so far, except those of the root user."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [Call(**json.loads(line)) for line in lines]

    @property
    def session(self) -> boto3.Session:
        """A boto3 session of the root user, for test setup. Pass `url` as endpoint_url."""
        return boto3.Session(ROOT.access_key, ROOT.secret_key, region_name=REGION)

    def user(self, *actions: str) -> Credentials:
        """Add a user with permissions for only these actions, e.g. `glue:GetCrawler`."""
        iam = self.session.client("iam", endpoint_url=self.url)
        name = f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def add_crawler(self, name: str, database: str, *folders: str) -> None:
        """Add a Glue crawler for these `s3://` folders, with its database and role."""
        iam = self.session.client("iam", endpoint_url=self.url)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "glue.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = iam.create_role(
            RoleName=f"{database}-crawler",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        glue = self.session.client("glue", endpoint_url=self.url)
        glue.create_database(DatabaseInput={"Name": database})
        glue.create_crawler(
            Name=name,
            Role=role,
            DatabaseName=database,
            Targets={"S3Targets": [{"Path": folder} for folder in folders]},
        )

    def add_table(self, database: str, name: str, bucket: str, rows: pa.Table) -> None:
        """Put a Parquet file into the emulator's S3 and add it to Glue's catalog, like a crawl."""
        file = BytesIO()
        pq.write_table(rows, file)
        s3 = self.session.client("s3", endpoint_url=self.url)
        s3.put_object(Bucket=bucket, Key=f"star/{name}/{name}.parquet", Body=file.getvalue())
        self.describe(database, name, f"s3://{bucket}/star/{name}/", rows.schema)

    def describe(self, database: str, name: str, folder: str, schema: pa.Schema) -> None:
        """Add the Parquet files of a folder to Glue's catalog, like a crawl."""
        glue = self.session.client("glue", endpoint_url=self.url)
        table: TableInputTypeDef = {
            "Name": name,
            "StorageDescriptor": {
                "Columns": [{"Name": f.name, "Type": athena_type(f.type)} for f in schema],
                "Location": folder,
                "InputFormat": PARQUET_INPUT,
                "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE},
            },
        }
        try:
            glue.create_table(DatabaseName=database, TableInput=table)
        except glue.exceptions.AlreadyExistsException:
            glue.update_table(DatabaseName=database, TableInput=table)


@contextmanager
def emulator(authority: Authority | None = None, rds_port: int | None = None) -> Iterator[Emulator]:
    """Yield an empty emulator on a free port; with TLS if an authority is given.

    Its RDS starts no instances; it reports 127.0.0.1 and `rds_port` as the address of each.
    """
    python = python_with("ministack", *PACKAGES)
    with tempfile.TemporaryDirectory(prefix="ministack") as home:
        (port,) = free_ports(1)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "S3_DATA_DIR": f"{home}/s3",
            "TMPDIR": home,
        }
        if authority:
            files = authority.issue("emulator", IPAddress(ip_address("127.0.0.1")))
            environment |= {
                "USE_SSL": "1",
                "MINISTACK_SSL_CERT": str(files["ssl_cert"]),
                "MINISTACK_SSL_KEY": str(files["ssl_key"]),
            }
        if rds_port:
            environment["RDS_PORT"] = str(rds_port)
        log, record = Path(home) / "log", Path(home) / "record"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [python, SERVER, record, str(CRAWL_SECONDS)],
                env=environment,
                cwd=home,
                stdout=out,
                stderr=out,
            )
        try:
            url = f"{'https' if authority else 'http'}://127.0.0.1:{port}"
            _await_answer(url, server, log, authority)
            yield Emulator(url, record)
        finally:
            server.kill()
            server.wait()


def _await_answer(
    url: str, server: subprocess.Popen[bytes], log: Path, authority: Authority | None
) -> None:
    context = authority.context() if authority else None
    deadline = time.monotonic() + START_TIMEOUT
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(f"{url}/_ministack/health", timeout=5, context=context).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    message = f"ministack did not start on {url}:\n{log.read_text(errors='replace')[-3000:]}"
    raise RuntimeError(message)
