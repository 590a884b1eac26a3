"""Terraform on the project's own configuration, and where its provider comes from."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from starschema_assets.settings import CHECKOUT

CONFIGURATION = CHECKOUT / "terraform"
PROVIDER = "terraform-provider-aws*"
REGISTRY = "registry.terraform.io"
MISSING = (
    "Terraform is missing (1.11 or newer, 1.x): it is in no Debian release and not on PyPI, so it "
    "isn't installed for you. See https://developer.hashicorp.com/terraform/install."
)


def terraform_is_missing() -> bool:
    """Whether this machine has no Terraform."""
    return shutil.which("terraform") is None


class TerraformFailed(Exception):  # noqa: N818 - reads as what happened
    """What Terraform printed."""


@dataclass(frozen=True)
class Terraform:
    """Terraform's commands; what it downloads and remembers is in `folder`, not in the checkout."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    configuration: Path = CONFIGURATION

    def run(self, *arguments: str) -> str:
        """What a command prints. Raises TerraformFailed."""
        done = self.attempt(*arguments)
        if done.returncode:
            raise TerraformFailed(f"terraform {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment in which it runs."""
        return _environment() | {"TF_DATA_DIR": str(self.folder)} | dict(self.environment)

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        return subprocess.run(
            ["terraform", f"-chdir={self.configuration}", *arguments],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def init(self, *options: str) -> None:
        """Install the provider that the lock file names: from its registry, else from a mirror."""
        command = ("init", "-input=false", "-lockfile=readonly", *options)
        if self.attempt(*command).returncode:
            mirror = mirror_of_providers()
            self.run(*command, *([f"-plugin-dir={mirror}"] if mirror else []))

    def output(self, name: str) -> str:
        """The text of an output."""
        return self.run("output", "-raw", name)

    def plan(self) -> dict[str, Any]:
        """What an apply would do now, as Terraform's JSON has it."""
        file = str(self.folder / "plan")
        self.run("plan", "-input=false", "-lock=false", f"-out={file}")
        plan: dict[str, Any] = json.loads(self.run("show", "-json", file))
        return plan


def _environment() -> dict[str, str]:
    """This process's variables, without settings that would change what a test sees."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_")) or name == "TF_PLUGIN_CACHE_DIR"
    }
    configuration = os.environ.get("TF_CLI_CONFIG_FILE")
    if configuration and Path(configuration).exists():
        variables["TF_CLI_CONFIG_FILE"] = configuration
    return variables | {
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@cache
def mirror_of_providers() -> Path | None:
    """The root of a mirror of providers somewhere on this machine, searched for once."""
    skipped = ["(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune"]
    wanted = ["-path", f"*/{REGISTRY}/*", "-name", PROVIDER, "-print", "-quit"]
    found = subprocess.run(
        ["find", "/", *skipped, "-o", *wanted], capture_output=True, text=True, check=False
    ).stdout.strip()
    return Path(found.partition(f"/{REGISTRY}/")[0]) if found else None
