"""Reads Terraform's outputs, and verifies that the credentials belong to the same account."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from starschema_assets.aws import advice, client_config
from starschema_assets.errors import StarschemaError
from starschema_assets.settings import CHECKOUT

FOLDER = CHECKOUT / "terraform"
CHARACTERS = 600
"""Maximum length of another program's message in an error."""
INSTALL = "https://developer.hashicorp.com/terraform/install"


class DeploymentError(StarschemaError):
    """The database can't be reached or set up; the message says what is missing."""


@dataclass(frozen=True)
class Database:
    """The database that Terraform created for `new_database`."""

    account_id: str
    region: str
    host: str
    port: int
    name: str
    owner_secret: str
    """ARN of the secret in which RDS keeps the owner's login."""
    reader_secret: str
    """ARN of the secret with the pipeline's login."""
    machine: str | None
    """ID of Terraform's EC2 instance, which a tunnel to the database can use; None without one."""


def database() -> Database:
    """Return the database of this checkout's Terraform state. Raises DeploymentError."""
    account = _account()
    outputs = _outputs(account)
    made = outputs.get("database")
    if not made:
        raise DeploymentError(
            "Terraform has no database: `terraform output` lists none. To create one, set "
            "new_database in terraform.tfvars and run `terraform apply`. For an existing_source, "
            "create the user yourself and write its login to the secret in secret_arn."
        )
    if made["account_id"] != account:
        raise DeploymentError(
            f"The database is in the account {made['account_id']}, but these credentials belong to "
            f"{account}. Use the credentials with which Terraform ran."
        )
    if not made["owner_secret"]:
        raise DeploymentError(
            f"Terraform doesn't know the secret with the owner's login of {made['host']} yet. Run "
            "`terraform apply -refresh-only`, then this command again."
        )
    machine = outputs.get("machine") or {}
    return Database(**made, machine=machine.get("id"))


def _account() -> str:
    session = boto3.Session()
    region = session.region_name or "us-east-1"
    try:
        sts = session.client("sts", region_name=region, config=client_config(attempts=2))
        account: str = sts.get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as error:
        raise DeploymentError(
            f"{advice(error, 'sts')}. Sign in as for `terraform apply`, e.g. with `aws sso login` "
            "or AWS_PROFILE, and run this command again."
        ) from None
    return account


def _outputs(account: str) -> dict[str, Any]:
    if shutil.which("terraform") is None:
        raise DeploymentError(
            f"Terraform is missing. Install it ({INSTALL}), or use the machine where it ran."
        )
    done = subprocess.run(
        ["terraform", f"-chdir={FOLDER}", "output", "-json", "-no-color"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeploymentError(
            f"`terraform output` fails with credentials of the account {account}. Run this command "
            "in the checkout in which Terraform ran, after `terraform init`. "
            f"{shortened(done.stderr)}"
        )
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


def shortened(said: str) -> str:
    """Return another program's message on one line, without Terraform's box characters."""
    text = " ".join(said.replace("│", " ").replace("╷", " ").replace("╵", " ").split())
    return text if len(text) <= CHARACTERS else f"… {text[-CHARACTERS:]}"
