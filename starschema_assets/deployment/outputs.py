"""What Terraform made, by its outputs, and whether these credentials are of that account."""

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
"""As much is shown of what another program says."""
INSTALL = "https://developer.hashicorp.com/terraform/install"


class DeploymentError(StarschemaError):
    """Something is missing between this machine and the database; the message says what."""


@dataclass(frozen=True)
class Database:
    """The database that `new_database` made."""

    account_id: str
    region: str
    host: str
    port: int
    name: str
    owner_secret: str
    """ARN of the secret in which RDS keeps the owner's login."""
    reader_secret: str
    """ARN of the secret from which the pipeline takes its login."""
    machine: str | None
    """ID of the EC2 instance through which a tunnel leads to it, if Terraform made one."""


def database() -> Database:
    """The database of this checkout's Terraform. Raises DeploymentError."""
    account = _account()
    outputs = _outputs(account)
    made = outputs.get("database")
    if not made:
        raise DeploymentError(
            "Terraform has made no database: `terraform output` names none. With new_database in "
            "terraform.tfvars, `terraform apply` makes one; the user of an existing_source is "
            "yours to make, and its login yours to put into the secret that you named."
        )
    if made["account_id"] != account:
        raise DeploymentError(
            f"The database is in the account {made['account_id']}, and these credentials are of "
            f"{account}: use those with which Terraform ran."
        )
    if not made["owner_secret"]:
        raise DeploymentError(
            f"Terraform doesn't know yet where RDS keeps the owner's login of {made['host']}: run "
            "`terraform apply -refresh-only`, then this again."
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
            f"{advice(error, 'sts')}. Sign in as for `terraform apply`, e.g. by `aws sso login` or "
            "with AWS_PROFILE, and run again."
        ) from None
    return account


def _outputs(account: str) -> dict[str, Any]:
    if shutil.which("terraform") is None:
        raise DeploymentError(f"Terraform is missing here: run this where it ran. {INSTALL}")
    done = subprocess.run(
        ["terraform", f"-chdir={FOLDER}", "output", "-json", "-no-color"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeploymentError(
            f"`terraform output` fails with credentials of the account {account}: run this in the "
            f"checkout in which Terraform ran, after `terraform init`. {shortened(done.stderr)}"
        )
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


def shortened(said: str) -> str:
    """What another program said, in one line."""
    text = " ".join(said.replace("│", " ").replace("╷", " ").replace("╵", " ").split())
    return text if len(text) <= CHARACTERS else f"… {text[-CHARACTERS:]}"
