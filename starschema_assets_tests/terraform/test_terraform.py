"""The Terraform configuration, offline: its form, its policies as AWS gets them, its options."""

import subprocess

import pytest

from starschema_assets.settings import CHECKOUT
from starschema_assets.star.models import MODELS
from starschema_assets_tests.environment import python_with
from starschema_assets_tests.terraform.terraform import (
    CONFIGURATION,
    MISSING,
    Terraform,
    terraform_is_missing,
)

CHECKOV = "checkov==3.3.30"
TESTS = sorted((CONFIGURATION / "tests").glob("*.tftest.hcl"))

needs_terraform = pytest.mark.skipif(terraform_is_missing(), reason=MISSING)


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform with the provider, without a state, and with the wheel that it uploads."""
    subprocess.run(["make", "-s", "wheel"], cwd=CHECKOUT, check=True)
    terraform = Terraform(tmp_path_factory.mktemp("terraform"))
    terraform.init("-backend=false")
    return terraform


@needs_terraform
def test_every_file_is_formatted(terraform: Terraform) -> None:
    assert terraform.run("fmt", "-check", "-recursive") == ""


@needs_terraform
def test_the_configuration_is_valid(terraform: Terraform) -> None:
    assert "The configuration is valid" in terraform.run("validate", "-no-color")


@needs_terraform
def test_what_the_terraform_tests_say_holds(terraform: Terraform) -> None:
    """In one run: to start the provider takes longer than the tests."""
    said = terraform.run("test", "-no-color")
    runs = sum(file.read_text().count("\nrun ") for file in TESTS)
    assert runs > 0
    assert f"Success! {runs} passed, 0 failed." in said


def test_the_files_that_terraform_takes_for_tables_are_the_tables_of_the_star() -> None:
    """It makes a target of the crawler for each of them: see terraform/locals.tf."""
    star = CONFIGURATION.parent / "starschema_assets" / "star"
    tables = {file.stem for file in star.glob("*.sql")}
    tracked = {t for t in tables if "tracked=Tracked(" in (star / f"{t}.py").read_text()}
    assert tables | {f"{table}_history" for table in tracked} == {
        model.contract.table for model in MODELS
    }


def test_the_example_names_every_variable() -> None:
    declared = {
        line.split('"')[1]
        for file in CONFIGURATION.glob("*.tf")
        for line in file.read_text().splitlines()
        if line.startswith("variable ")
    }
    example = (CONFIGURATION / "terraform.tfvars.example").read_text()
    assert {name for name in declared if f"\n{name} " not in example.replace("# ", "")} == set()


def test_checkov_finds_nothing() -> None:
    """What it is told to skip has its reason beside it."""
    checkov = python_with("checkov", CHECKOV).parent / "checkov"
    done = subprocess.run(
        [checkov, "-d", CONFIGURATION, "--compact", "--quiet", "--skip-download"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Failed checks: 0" in done.stdout
    assert "Parsing errors" not in done.stdout
