"""The rehearsal from its first apply to its destroy, each stage with what it proves."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3

from starschema_assets.analytics.query import questions
from starschema_assets_tests.emulator import REGION
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.pipeline import STAR
from starschema_assets_tests.rehearsal import leftovers, rights
from starschema_assets_tests.rehearsal.account import (
    ACCOUNT_ID,
    LAKE,
    RESULTS,
    STATE_BUCKET,
    STATE_KEY,
    Account,
    policy,
)
from starschema_assets_tests.rehearsal.answers import answer
from starschema_assets_tests.rehearsal.company import DATABASE, PASSWORD, Machine, sales_by_country
from starschema_assets_tests.rehearsal.debian import NoContainer
from starschema_assets_tests.rehearsal.instance import VARIABLES, Instance
from starschema_assets_tests.rehearsal.others import Others
from starschema_assets_tests.rehearsal.plans import changes
from starschema_assets_tests.rehearsal.proofs import Proofs, expect
from starschema_assets_tests.terraform.terraform import Terraform

ZONES = {f"{REGION}a": "172.31.200.0/26", f"{REGION}b": "172.31.200.64/26"}


class Rehearsal:
    """One account, one database, and Terraform between them."""

    def __init__(self, proofs: Proofs, account: Account, server: MariaDB, authority: Path) -> None:
        self.instance = Instance(proofs, account, server, authority)
        self.not_rehearsed: str | None = None
        account.set_up()
        self.proofs = proofs
        self.account = account
        self.server = server
        self.authority = authority
        self.others = Others(account)
        self.variables: dict[str, Any] = {
            "deletion_protection": False,
            "alert_email": "data-team@example.com",
            "machine": VARIABLES,
            "pipeline_principals": [f"arn:aws:iam::{ACCOUNT_ID}:user/dagster"],
            "existing_source": {
                "host": "127.0.0.1",
                "port": server.port,
                "database": DATABASE,
                "secret_arn": self.others.reader,
            },
        }

    @property
    def terraform(self) -> Terraform:
        """Terraform with the variables as they are now."""
        return self.account.terraform(self.variables)

    def play(self) -> None:
        """Every stage in order."""
        try:
            self._play()
        finally:
            self.instance.stop()

    def _play(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT_ID}:role/starschema-pipeline"
        user = self.account.user("dagster", document=policy("sts:AssumeRole", role))
        self.apply()
        self.instance.boot(lambda: self.account.taken(user, role))
        machine = Machine(self.account, user, role, self.account.folder / "machine")
        self.refresh(machine)
        analyst = self.account.user("analyst", policy=self.terraform.output("analyst_policy_arn"))
        self.ask(analyst)
        pipeline = self.account.taken(user, role)
        self.boot_the_machine()
        self.try_rights(pipeline, analyst)
        self.plan_again()
        self.switch_on_what_is_optional(pipeline)
        self.account.remove_user("analyst")
        self.destroy()

    def apply(self) -> None:
        """From nothing to everything."""
        with self.proofs.of("terraform init: state in a bucket of the account", needed=True):
            (self.account.folder / "terraform").mkdir()
            self.terraform.init(
                f"-backend-config=bucket={STATE_BUCKET}",
                f"-backend-config=key={STATE_KEY}",
                f"-backend-config=region={REGION}",
                "-backend-config=encrypt=true",
                "-backend-config=use_lockfile=true",
            )
        for what, variables, message in (
            ("a machine in a subnet without a way out", {}, "has no way out"),
            ("another account", {"account_id": "111111111111"}, "account ID not allowed"),
            ("a region that there isn't", {"region": "us-east-9"}, "us-east-9"),
        ):
            with self.proofs.of(f"terraform plan refuses {what}"):
                terraform = self.account.terraform(self.variables | variables)
                done = terraform.attempt("plan", "-input=false", "-no-color")
                expect([done.returncode, message in " ".join(done.stderr.split())], [1, True])
        self.others.open_a_way_out()
        with self.proofs.of("terraform apply builds everything", needed=True):
            self._apply()
        with self.proofs.of("the crawler has a target for each table of the star"):
            crawler = self.account.client("glue").get_crawler(Name="starschema-star")["Crawler"]
            targets = {target["Path"] for target in crawler["Targets"]["S3Targets"]}
            expect(targets, {f"s3://{LAKE}/lake/star/{table}/" for _, table in STAR})
        with self.proofs.of("no password is in the state, nor in an output"):
            state = self._state()
            expect([PASSWORD in state, json.dumps(PASSWORD)[1:-1] in state], [False, False])

    def refresh(self, machine: Machine) -> None:
        """The pipeline as on any machine: Terraform's settings, and its role by a profile."""
        machine.configure(
            self.terraform.output("dotenv"),
            STARSCHEMA_SOURCE_TLS="verify",
            STARSCHEMA_SOURCE_CA=str(self.authority),
            STARSCHEMA_SCRATCH=str(machine.folder / "scratch"),
        )
        with self.proofs.of(
            "with these outputs and its role alone, the pipeline refreshes from MariaDB over TLS, "
            "crawls (a stand-in) and asks Athena",
            needed=True,
        ):
            machine.run("run")
        with self.proofs.of("it refreshes again, and restores the version before"):
            machine.run("run")
            said = machine.run("restore", "star/dim_dates")
            expect("put back" in said, expected=True)

    def ask(self, analyst: boto3.Session) -> None:
        """The project's own questions, as an analyst finds them in Athena."""
        athena = self.account.client("athena", analyst)
        group = "starschema-analysts"
        ids = athena.list_named_queries(WorkGroup=group)["NamedQueryIds"]
        named = [athena.get_named_query(NamedQueryId=id_)["NamedQuery"] for id_ in ids]
        answers = {}
        with self.proofs.of("every question is a named query, and an analyst gets its answer"):
            expect({query["Name"] for query in named}, set(questions()))
            answers = {query["Name"]: answer(athena, query, group) for query in named}
        with self.proofs.of("to the cent what the source says: sales by country"):
            rows = answers["sales_by_country"]
            country, sales = rows[0].index("country"), rows[0].index("sales")
            told = {row[country]: Decimal(row[sales]) for row in rows[1:]}
            expect(told, sales_by_country(self.server))

    def try_rights(self, pipeline: boto3.Session, analyst: boto3.Session) -> None:
        """Each refusal beside something that is allowed."""
        rights.prove_the_analysts_rights(self.proofs, self.account, analyst)
        rights.prove_the_pipelines_rights(self.proofs, self.account, pipeline, analyst, self.others)
        rights.prove_glues_rights(self.proofs, self.account)

    def boot_the_machine(self) -> None:
        """The EC2 instance in a container, where one boots."""
        try:
            self.instance.prove(
                lambda: json.loads(self.terraform.run("output", "-json", "machine")),
                self._apply,
            )
        except NoContainer as error:
            self.not_rehearsed = f"the machine, since no container boots here: {error}"

    def plan_again(self) -> None:
        """A plan sees nothing to do, until somebody changes something by hand."""
        with self.proofs.of("terraform plan shows no change"):
            expect(changes(self.terraform.plan()), {})
        with self.proofs.of("terraform plan notices what was changed by hand"):
            self.account.client("s3").put_bucket_versioning(
                Bucket=LAKE, VersioningConfiguration={"Status": "Suspended"}
            )
            self.account.client("s3").delete_public_access_block(Bucket=RESULTS)
            self.account.client("iam").put_role_policy(
                RoleName="starschema-pipeline",
                PolicyName="run-the-pipeline",
                PolicyDocument=policy("s3:*", "*"),
            )
            expect(
                set(changes(self.terraform.plan())),
                {
                    "aws_s3_bucket_versioning.lake",
                    'aws_s3_bucket_public_access_block.all["results"]',
                    "aws_iam_role_policy.pipeline",
                },
            )

    def switch_on_what_is_optional(self, pipeline: boto3.Session) -> None:
        """Later, with the same apply that mends what was changed by hand."""
        self.variables["spark"] = {"enabled": True}
        self.variables["existing_source"] = None
        self.variables["new_database"] = {"vpc_id": self.others.vpc, "subnets": ZONES}
        with self.proofs.of(
            "terraform apply adds a Spark job, and a database in private subnets", needed=True
        ):
            self._apply()
        with self.proofs.of("and mends what was changed by hand"):
            versioning = self.account.client("s3").get_bucket_versioning(Bucket=LAKE)
            expect(versioning["Status"], "Enabled")
        with self.proofs.of("terraform plan shows no change with them, either"):
            expect(changes(self.terraform.plan()), {})
        rights.prove_the_pipeline_runs_its_job(self.proofs, self.account, pipeline)

    def destroy(self) -> None:
        """From everything to nothing."""
        before = leftovers.found(self.account)
        with self.proofs.of("every kind of thing is there before the destroy"):
            expect([kind for kind, count in before.items() if not count], [])
        with self.proofs.of("terraform destroy ends"):
            self.terraform.run("destroy", "-auto-approve", "-input=false", "-no-color")
        with self.proofs.of("and leaves nothing of them, nor in the state"):
            after = leftovers.found(self.account)
            expect([kind for kind, count in after.items() if count], [])
            expect(json.loads(self._state())["resources"], [])

    def _apply(self) -> None:
        self.terraform.run("apply", "-auto-approve", "-input=false", "-no-color")

    def _state(self) -> str:
        answer = self.account.client("s3").get_object(Bucket=STATE_BUCKET, Key=STATE_KEY)
        text: str = answer["Body"].read().decode()
        return text
