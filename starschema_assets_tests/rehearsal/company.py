"""The company of a rehearsal: its database, who runs Terraform, and the machine of Dagster."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import boto3
from cryptography.x509 import DNSName, IPAddress

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.emulator import REGION
from starschema_assets_tests.environment import python_with
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.rehearsal.account import Account
from starschema_assets_tests.rehearsal.page import Shell, copied
from starschema_assets_tests.rehearsal.proofs import NotProven
from starschema_assets_tests.session_manager import executable, stand_in
from starschema_assets_tests.terraform.terraform import mirror_of_providers

DATABASE = "classicmodels"
ENDPOINT = f"starschema-source.abcdefghijkl.{REGION}.rds.amazonaws.com"
OWNER = {"username": "owner", "password": "of the owner/s3cr3t:"}


@contextmanager
def database(folder: Path) -> Iterator[tuple[MariaDB, Path]]:
    """An empty one, as RDS makes it, and the file of the authority of its server.

    It stands in for the instance that Terraform makes in the emulator, which is none: it has that
    one's owner, and a certificate for its endpoint. The pipeline finds it at 127.0.0.1.
    """
    authority = Authority(folder / "database")
    names = (DNSName(ENDPOINT), IPAddress(ip_address("127.0.0.1")))
    with MariaDB(local_infile="1", sql_mode="", **authority.issue("database", *names)) as server:
        server.execute(f"create database {DATABASE}")
        server.execute(f"create user owner identified by '{OWNER['password']}' require ssl")
        server.execute("grant all on *.* to owner with grant option")
        yield server, authority.file


def administrator(account: Account, server: MariaDB, authority: Path) -> Shell:
    """The shell of who runs Terraform, with the rights of the account's root user.

    Programs found before the machine's own: the AWS CLI with a stand-in for Session Manager's
    tunnel, and Terraform with what the emulator has no value for.
    """
    programs = account.programs
    programs.mkdir()
    cli = python_with("awscli", AWS_CLI).parent / "aws"
    stand_in(programs, {ENDPOINT: server.port}, cli, instance="")
    owner: str = account.client("secretsmanager").create_secret(
        Name="rds!db-owner", SecretString=json.dumps(OWNER)
    )["ARN"]
    text = TERRAFORM.format(
        python=sys.executable,
        real=shutil.which("terraform"),
        mirror=str(mirror_of_providers() or ""),
        database={"host": ENDPOINT, "port": 3306, "owner_secret": owner},
    )
    executable(programs / "terraform", text)
    environment = dict(account.terraform.variables) | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "STARSCHEMA_SOURCE_CA": str(authority),
        "STARSCHEMA_SCRATCH": str(account.folder / "scratch"),
        "DAGSTER_HOME": str(account.folder),
    }
    return Shell(copied(account.project), environment)


AWS_CLI = "awscli==1.46.2"
TERRAFORM = """\
#!{python}
import json, subprocess, sys

command = [{real!r}, *sys.argv[1:]]
if sys.argv[2] == "init" and {mirror!r}:
    command.append("-plugin-dir={mirror}")
if sys.argv[2:4] != ["output", "-json"]:
    sys.exit(subprocess.run(command).returncode)
outputs = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
if "database" in outputs:
    outputs["database"]["value"] |= {database!r}
print(json.dumps(outputs))
"""


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
            "AWS_ENDPOINT_URL_GLUE": account.proxy.url,
            "AWS_CA_BUNDLE": str(account.authority.file),
            "DAGSTER_HOME": str(folder),
        }

    def configure(self, dotenv: str, **more: str) -> None:
        """Take the lines of Terraform's output as they are, and what the machine adds."""
        lines = (line.partition("=") for line in dotenv.splitlines())
        self._environment |= {name: value for name, _, value in lines} | more

    def run(self, module: str, *arguments: str, **variables: str) -> str:
        """What a command of the project prints. Raises NotProven if it fails."""
        return _run(self._environment | variables, f"starschema_assets.{module}", *arguments)

    def dagster(self, *arguments: str) -> str:
        """What a command of Dagster prints. Raises NotProven if it fails."""
        module = ("-m", "starschema_assets.definitions")
        return _run(self._environment, "dagster", *arguments, *module)


def _run(environment: Mapping[str, str], module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotProven(f"{module} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout
