"""The company of a rehearsal: its database, and the machine that runs Dagster."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import boto3
from cryptography.x509 import IPAddress
from sqlalchemy import make_url

from starschema_assets.sample.mysql import load
from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.rehearsal.account import Account
from starschema_assets_tests.rehearsal.proofs import NotProven

DATABASE = "classicmodels"
PASSWORD = "of the reader/s3cr3t:"


@contextmanager
def database(folder: Path) -> Iterator[tuple[MariaDB, Path]]:
    """A server over TLS with the sample, and the file of its authority."""
    authority = Authority(folder / "database")
    certificate = authority.issue("database", IPAddress(ip_address("127.0.0.1")))
    with MariaDB(local_infile="1", sql_mode="", **certificate) as server:
        server.execute(f"create database {DATABASE}; create user owner identified by 'owner'")
        server.execute(f"grant all on {DATABASE}.* to owner")
        server.execute(f"create user reader identified by '{PASSWORD}' require ssl")
        server.execute(f"grant select on {DATABASE}.* to reader")
        load(make_url(server.url("owner", "owner", DATABASE)), folder)
        yield server, authority.file


def sales_by_country(server: MariaDB) -> dict[str, Decimal]:
    """What the source itself says."""
    said = server.execute(
        "select trim(country), sum(quantityOrdered * priceEach) from orderdetails "
        "join orders using (orderNumber) join customers using (customerNumber) group by 1",
        DATABASE,
    )
    lines = (line.split("\t") for line in said.splitlines())
    return {country: Decimal(amount) for country, amount in lines}


class Machine:
    """A machine outside EC2: a user of its own, who takes the pipeline's role by an AWS profile."""

    def __init__(self, account: Account, user: boto3.Session, role: str, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        keys = user.get_credentials()
        assert keys
        self._config = folder / "aws_config"
        self._config.write_text(
            f"[profile machine]\n"
            f"aws_access_key_id = {keys.access_key}\n"
            f"aws_secret_access_key = {keys.secret_key}\n"
            f"[profile pipeline]\nrole_arn = {role}\nsource_profile = machine\n"
        )
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "STARSCHEMA_", "DAGSTER_"))
        } | {
            "AWS_CONFIG_FILE": str(self._config),
            "AWS_PROFILE": "pipeline",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": account.aws.url,
            "AWS_ENDPOINT_URL_GLUE": account.glue_url,
            "AWS_CA_BUNDLE": str(account.authority.file),
            "DAGSTER_HOME": str(folder),
        }

    def configure(self, dotenv: str, **more: str) -> None:
        """Take the lines of Terraform's output as they are, and what the machine adds."""
        lines = (line.partition("=") for line in dotenv.splitlines())
        self._environment |= {name: value for name, _, value in lines} | more

    def run(self, module: str, *arguments: str) -> str:
        """What a command of the project prints. Raises NotProven if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", f"starschema_assets.{module}", *arguments],
            env=self._environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotProven(f"{module} failed:\n{(done.stdout + done.stderr)[-4000:]}")
        return done.stdout
