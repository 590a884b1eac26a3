"""The account of a rehearsal: an emulator that enforces IAM, over TLS, and Terraform on it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pyarrow as pa

from starschema_assets.lake.parquet import read_footer
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.aws_faults import FaultyAWS, faulty_aws
from starschema_assets_tests.emulator import REGION, ROOT, Credentials, Emulator, emulator
from starschema_assets_tests.pipeline import STAR
from starschema_assets_tests.terraform.terraform import Terraform

ACCOUNT_ID = "000000000000"
STATE_BUCKET = f"terraform-state-{ACCOUNT_ID}-{REGION}"
STATE_KEY = "starschema.tfstate"
ATTEMPTS = "attempts"
"""In the name of each user and session that tries what may be refused."""
LAKE = f"starschema-lake-{ACCOUNT_ID}-{REGION}"
RESULTS = f"starschema-results-{ACCOUNT_ID}-{REGION}"


@dataclass(frozen=True)
class Account:
    """The emulator, and before it a proxy that stands in for what a crawl would do."""

    aws: Emulator
    proxy: FaultyAWS
    authority: Authority
    folder: Path

    def client(self, service: str, who: Credentials | boto3.Session = ROOT) -> Any:
        """A client of the emulator for a user, or a session."""
        session: Any = (
            who
            if isinstance(who, boto3.Session)
            else boto3.Session(who.access_key, who.secret_key, region_name=REGION)
        )
        return session.client(service, endpoint_url=self.aws.url)

    @property
    def programs(self) -> Path:
        """Where programs are that are found before the machine's own."""
        return self.folder / "programs"

    @property
    def project(self) -> Path:
        """The copy of the project in which the commands of docs/deploy.md run."""
        return self.folder / "project"

    @property
    def terraform(self) -> Terraform:
        """Terraform in that copy."""
        return Terraform(
            self.folder / "terraform",
            ROOT.environment(self.aws.url) | {"AWS_CA_BUNDLE": str(self.authority.file)},
            self.project / "terraform",
        )

    @property
    def reader_secret(self) -> str:
        """The ARN of the secret of the pipeline's user, which Terraform makes."""
        secrets = self.client("secretsmanager")
        arn: str = secrets.describe_secret(SecretId="starschema/source-reader")["ARN"]
        return arn

    @property
    def reader_password(self) -> str:
        """What `make reader` made last."""
        secrets = self.client("secretsmanager")
        text = secrets.get_secret_value(SecretId=self.reader_secret)["SecretString"]
        password: str = json.loads(text)["password"]
        return password

    def user(self, name: str, *, document: str | None = None, policy: str | None = None) -> Any:
        """A session of a new user with one policy: a document, or a managed one's ARN."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if document:
            iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
        if policy:
            iam.attach_user_policy(UserName=name, PolicyArn=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)

    def remove_user(self, name: str) -> None:
        """Take the user away again, with what it was given."""
        iam = self.client("iam")
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        iam.delete_user(UserName=name)

    def taken(self, user: boto3.Session, role: str, name: str) -> boto3.Session:
        """The session, of that name, of a user who took a role."""
        answer = self.client("sts", user).assume_role(RoleArn=role, RoleSessionName=name)
        keys = answer["Credentials"]
        return boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
        )

    def stand_in_for_the_crawl(self) -> None:
        """Describe the star's files in Glue, as a crawl would."""
        for _, table in STAR:
            key = f"lake/star/{table}/{table}.parquet"
            body = self.client("s3").get_object(Bucket=LAKE, Key=key)["Body"].read()
            schema = read_footer(pa.BufferReader(body)).schema
            lower = pa.schema([(field.name.lower(), field.type) for field in schema])
            self.aws.describe("starschema", table, f"s3://{LAKE}/lake/star/{table}/", lower)


@contextmanager
def account(folder: Path, database_port: int) -> Iterator[Account]:
    """An empty account, whose RDS has the database at that port; its files are in `folder`."""
    authority = Authority(folder / "authority")
    with (
        emulator(authority, database_port) as aws,
        faulty_aws(aws.url, authority.context()) as proxy,
        patch.dict(os.environ, {"AWS_CA_BUNDLE": str(authority.file)}),
    ):
        made = Account(aws, proxy, authority, folder)
        crawl: Callable[[], None] = made.stand_in_for_the_crawl
        proxy.on_start["StartCrawler"] = crawl
        yield made


def policy(action: str, resource: str) -> str:
    """A policy's document, of one statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
