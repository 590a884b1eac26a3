"""`make reader` on a real MariaDB and MySQL over TLS, with a fake Session Manager tunnel.

The secrets are in an AWS emulator. Terraform is also faked here; the rehearsal uses the real one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
from cryptography import x509

from starschema_assets.settings import CHECKOUT
from starschema_assets.source.tls import TLS
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.emulator import REGION, ROOT, Emulator, emulator
from starschema_assets_tests.servers import KINDS, server_of
from starschema_assets_tests.session_manager import (
    INSTANCE,
    executable,
    stand_in,
    terraform_with,
)

HOST = "shop-source.abcdefgh.us-east-1.rds.amazonaws.com"
NAME = "shop_1"
OWNER = {"username": "owner", "password": "of the owner/0wn:"}
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulator() as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[DatabaseServer]:
    """A server whose certificate has the endpoint's name, and no address of this machine."""
    options = authority.issue("endpoint", x509.DNSName(HOST))
    with server_of(request.param, local_infile="1", **options) as server:
        server.execute(f"CREATE USER owner IDENTIFIED BY '{OWNER['password']}'")
        server.execute("GRANT ALL ON *.* TO owner WITH GRANT OPTION")
        yield server


@dataclass
class Deployed:
    """A database as Terraform creates it, and the environment of `make reader`."""

    server: DatabaseServer
    secrets: Any
    reader_secret: str
    programs: Path
    environment: dict[str, str]
    outputs: dict[str, Any]
    authority: Authority

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a module of the project. Asserts that it prints no password and no traceback."""
        terraform = self.programs / "terraform"
        if not terraform.exists():
            terraform_with(self.programs, self.outputs)
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            env=self.environment | variables,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert OWNER["password"] not in said
        assert "Traceback" not in said
        if self.password:
            assert self.password not in said
        return done

    def reader(self, *arguments: str, **variables: str) -> str:
        """Run `make reader` and return its output."""
        done = self.run("starschema_assets.deployment.reader", *arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str, **variables: str) -> str:
        """Run `make reader`, assert that it fails, and return its error."""
        done = self.run("starschema_assets.deployment.reader", *arguments, **variables)
        assert done.returncode == 1
        assert done.stdout == ""
        return done.stderr

    @property
    def password(self) -> str:
        """The password in the secret, or an empty string."""
        login: dict[str, str] = json.loads(
            self.secrets.get_secret_value(SecretId=self.reader_secret)["SecretString"]
        )
        assert login.keys() <= {"username", "password"}
        return login.get("password", "")

    def log_in(self, password: str, *, over_tls: bool = True) -> "pymysql.Connection[Any]":
        """Connect as the reader."""
        ssl: dict[str, Any] = {"ssl_disabled": True}
        if over_tls:
            ssl = TLS(verified=True, off=False, authority=self.authority.file).for_pymysql()
            ssl["ssl"].check_hostname = False
        return pymysql.connect(
            host="127.0.0.1",
            port=self.server.port,
            user="reader",
            password=password,
            database=NAME,
            **ssl,
        )


@pytest.fixture
def deployed(
    server: DatabaseServer, aws: Emulator, authority: Authority, tmp_path: Path
) -> Deployed:
    server.execute(f"DROP DATABASE IF EXISTS {NAME}; CREATE DATABASE {NAME}")
    server.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (7)", NAME)
    server.execute("DROP USER IF EXISTS reader; FLUSH PRIVILEGES")
    secrets = aws.session.client("secretsmanager", endpoint_url=aws.url)
    owner, reader = (
        secrets.create_secret(Name=f"{who}-{tmp_path.name}", SecretString=json.dumps(login))["ARN"]
        for who, login in (("owner", OWNER), ("reader", {}))
    )
    programs = tmp_path / "programs"
    programs.mkdir()
    stand_in(programs, {HOST: server.port})
    made = {
        "account_id": ACCOUNT,
        "region": REGION,
        "host": HOST,
        "port": 3306,
        "name": NAME,
        "owner_secret": owner,
        "reader_secret": reader,
    }
    others = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STARSCHEMA_"))}
    environment = (
        others
        | ROOT.environment(aws.url)
        | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "STARSCHEMA_SOURCE_CA": str(authority.file),
            "STARSCHEMA_SCRATCH": str(tmp_path / "scratch"),
            "AWS_CONFIG_FILE": "/dev/null",
            "DAGSTER_HOME": str(tmp_path),
        }
    )
    outputs = {"database": made, "machine": {"id": INSTANCE}}
    return Deployed(server, secrets, reader, programs, environment, outputs, authority)


def test_makes_a_user_who_may_select_over_tls_and_nothing_else(deployed: Deployed) -> None:
    said = deployed.reader()
    assert said == (
        f"User reader was created. It may SELECT from {NAME} on {HOST}, over TLS only. "
        f"Its login is in the secret {deployed.reader_secret}.\n"
    )
    with deployed.log_in(deployed.password) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT a FROM t")
        assert cursor.fetchall() == ((7,),)
        for forbidden in ("INSERT INTO t VALUES (8)", "DROP TABLE t", "CREATE DATABASE other"):
            with pytest.raises(pymysql.MySQLError, match="denied"):
                cursor.execute(forbidden)
    with pytest.raises(pymysql.MySQLError, match="Access denied"):
        deployed.log_in(deployed.password, over_tls=False)


def test_another_database_whose_name_fits_the_underscore_is_not_opened(deployed: Deployed) -> None:
    deployed.server.execute("DROP DATABASE IF EXISTS shopX1; CREATE DATABASE shopX1")
    deployed.reader()
    with deployed.log_in(deployed.password) as reader, pytest.raises(pymysql.MySQLError):
        reader.select_db("shopX1")


def test_rotates_the_password_when_it_is_run_again(deployed: Deployed) -> None:
    deployed.reader()
    first = deployed.password
    assert deployed.reader().startswith("User reader has a new password. ")
    assert deployed.password != first
    deployed.log_in(deployed.password).close()
    with pytest.raises(pymysql.MySQLError, match="Access denied"):
        deployed.log_in(first)


def test_a_secret_that_can_not_be_written_keeps_the_password_before_on_mysql(
    deployed: Deployed,
) -> None:
    deployed.reader()
    first = deployed.password
    deployed.outputs["database"]["reader_secret"] += "-gone"
    (deployed.programs / "terraform").unlink()
    said = deployed.refused()
    assert "The new login couldn't be written to the secret" in said
    assert "Run this command again" in said
    if deployed.server.name == "MySQL":
        deployed.log_in(first).close()


def test_a_user_of_that_name_with_other_rights_is_left_alone(deployed: Deployed) -> None:
    deployed.server.execute("CREATE USER reader IDENTIFIED BY 'theirs'")
    deployed.server.execute(f"GRANT INSERT ON {NAME}.* TO reader")
    assert "a privilege that this command doesn't" in " ".join(deployed.refused().split())
    assert deployed.password == ""
    assert "INSERT" in deployed.server.execute("SHOW GRANTS FOR reader")


def test_a_certificate_for_another_name_is_refused_through_the_tunnel(
    deployed: Deployed,
) -> None:
    """This also holds for another server at the end of the tunnel."""
    other = "other.abcdefgh.us-east-1.rds.amazonaws.com"
    deployed.outputs["database"]["host"] = other
    stand_in(deployed.programs, {other: deployed.server.port})
    said = deployed.refused()
    assert f"certificate must be issued for {other}" in " ".join(said.split())
    assert deployed.password == ""


def test_another_authority_is_refused(deployed: Deployed, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    said = deployed.refused(STARSCHEMA_SOURCE_CA=str(other.file))
    assert "STARSCHEMA_SOURCE_CA" in said


def test_a_database_that_the_instance_can_not_reach_is_named(deployed: Deployed) -> None:
    stand_in(deployed.programs, {})
    said = " ".join(deployed.refused().split())
    assert HOST in said
    assert "security group" in said


def test_an_instance_that_is_not_online_is_named(deployed: Deployed) -> None:
    said = " ".join(deployed.refused("--through", "i-0").split())
    assert "could not open a tunnel through i-0" in said
    assert "TargetNotConnected" in said


def test_a_database_that_can_not_be_reached_directly_is_named(deployed: Deployed) -> None:
    said = " ".join(deployed.refused("--direct").split())
    assert f"{HOST}:3306 can't be reached from this machine" in said
    assert "connect through an EC2 instance" in said


@pytest.mark.parametrize("program", ["aws", "session-manager-plugin"])
def test_a_program_that_is_missing_is_named(deployed: Deployed, program: str) -> None:
    (deployed.programs / program).unlink()
    assert f"{program} is missing" in deployed.refused(PATH=str(deployed.programs) + ":/bin")


def test_terraform_that_is_missing_is_named(deployed: Deployed) -> None:
    terraform_with(deployed.programs, {})
    said = deployed.run("starschema_assets.deployment.reader", PATH="/nowhere").stderr
    assert "Terraform is missing" in said


def test_terraform_that_fails_is_quoted(deployed: Deployed) -> None:
    executable(
        deployed.programs / "terraform", "#!/bin/sh\necho 'Error: not initialized' >&2; exit 1"
    )
    said = " ".join(deployed.refused().split())
    assert "after `terraform init`. Error: not initialized" in said


def test_without_a_new_database_there_is_no_user_to_make(deployed: Deployed) -> None:
    deployed.outputs["database"] = None
    assert "Terraform has no database" in deployed.refused()


def test_an_owner_whose_secret_terraform_does_not_know_is_told(deployed: Deployed) -> None:
    deployed.outputs["database"]["owner_secret"] = None
    assert "terraform apply -refresh-only" in deployed.refused()


def test_without_a_machine_it_goes_directly(deployed: Deployed) -> None:
    deployed.outputs["machine"] = None
    assert "can't be reached from this machine" in deployed.refused()


def test_another_account_is_refused(deployed: Deployed) -> None:
    deployed.outputs["database"]["account_id"] = "123456789012"
    said = " ".join(deployed.refused().split())
    assert f"in the account 123456789012, but these credentials belong to {ACCOUNT}" in said


def test_credentials_that_aws_does_not_accept_are_told(deployed: Deployed) -> None:
    said = deployed.refused(AWS_ACCESS_KEY_ID="AKIAEXPIRED", AWS_SECRET_ACCESS_KEY="x")
    assert "renew them" in said
    assert "aws sso login" in said


def test_no_credentials_at_all_are_told(deployed: Deployed) -> None:
    del deployed.environment["AWS_ACCESS_KEY_ID"]
    assert "Sign in as for `terraform apply`" in deployed.refused()


def test_the_sample_is_loaded_the_same_way_once(deployed: Deployed) -> None:
    load = ("starschema_assets.sample", "--into-rds", "--seed", "9")
    done = deployed.run(*load)
    assert done.returncode == 0, done.stderr
    assert deployed.server.execute("SELECT count(*) FROM orders", NAME).strip() == "326"
    assert "Drop them" in deployed.run(*load).stderr
