"""The rehearsal from its first apply to its destroy, each stage with what it proves."""

import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3

from starschema_assets.analytics.query import questions
from starschema_assets_tests.emulator import REGION
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.pipeline import STAR
from starschema_assets_tests.rehearsal import grants, leftovers, rights
from starschema_assets_tests.rehearsal.account import (
    ACCOUNT_ID,
    ATTEMPTS,
    LAKE,
    RESULTS,
    STATE_BUCKET,
    STATE_KEY,
    Account,
    policy,
)
from starschema_assets_tests.rehearsal.answers import answer
from starschema_assets_tests.rehearsal.company import (
    OWNER,
    Machine,
    administrator,
    sales_by_country,
)
from starschema_assets_tests.rehearsal.debian import NoContainer
from starschema_assets_tests.rehearsal.instance import VARIABLES, Instance
from starschema_assets_tests.rehearsal.others import Others
from starschema_assets_tests.rehearsal.page import blocks
from starschema_assets_tests.rehearsal.plans import changes
from starschema_assets_tests.rehearsal.proofs import NotProven, Proofs, expect
from starschema_assets_tests.session_manager import inside

NO_CHANGES = "No changes. Your infrastructure matches the configuration."


class Rehearsal:
    """One account, one database, and Terraform between them."""

    def __init__(self, proofs: Proofs, account: Account, server: MariaDB, authority: Path) -> None:
        self.instance = Instance(proofs, account, server, authority)
        self.not_rehearsed: str | None = None
        self.proofs = proofs
        self.account = account
        self.server = server
        self.authority = authority
        self.others = Others(account)
        self.terraform = account.terraform
        self.page = administrator(account, server, authority)
        self.set(
            alert_email="data-team@example.com",
            pipeline_principals=[f"arn:aws:iam::{ACCOUNT_ID}:user/dagster"],
            machine=VARIABLES,
            deletion_protection=False,  # the emulator can't change it on an EC2 instance
        )

    def set(self, **variables: Any) -> None:
        """Set variables of Terraform beside those of docs/deploy.md."""
        file = self.page.copy / "terraform" / "rehearsal.auto.tfvars.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | variables))

    def play(self) -> None:
        """Every stage in order."""
        with closing(self.page):
            try:
                self._play()
            finally:
                self.instance.stop()

    def _play(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT_ID}:role/starschema-pipeline"
        user = self.account.user("dagster", document=policy("sts:AssumeRole", role))
        self.apply()
        self.instance.boot(lambda: self.account.taken(user, role, "machine"))
        self.fill_the_database()
        machine = Machine(self.account, user, role, self.account.folder / "machine")
        self.refresh(machine)
        self.alert(machine)
        analysts = self.terraform.output("analyst_policy_arn")
        self.ask(self.account.user("analyst", policy=analysts))
        self.follow("8. The first query")
        self.boot_the_machine()
        pipeline = self.account.taken(user, role, ATTEMPTS)
        self.try_rights(pipeline, self.account.user(ATTEMPTS, policy=analysts))
        self.plan_again()
        self.switch_on_spark(machine, pipeline)
        grants.prove_that_nothing_is_granted_idly(
            self.proofs, self.account, with_machine=not self.not_rehearsed
        )
        for name in ("analyst", ATTEMPTS):
            self.account.remove_user(name)
        self.destroy()

    def apply(self) -> None:
        """From nothing to everything."""
        for section in ("1. Your own machine", "2. The account", "3. Configure it"):
            self.follow(section)
        self.plan_what_is_refused()
        self.others.open_a_way_out()
        self.follow("4. Apply", "builds everything, its state in a bucket of the account")
        with self.proofs.of("the crawler has a target for each table of the star"):
            crawler = self.account.client("glue").get_crawler(Name="starschema-star")["Crawler"]
            targets = {target["Path"] for target in crawler["Targets"]["S3Targets"]}
            expect(targets, {f"s3://{LAKE}/lake/star/{table}/" for _, table in STAR})

    def plan_what_is_refused(self) -> None:
        """Before there is anything, and before the default VPC has a way out."""
        place = {"bucket": STATE_BUCKET, "key": STATE_KEY, "region": REGION}
        place |= {"encrypt": "true", "use_lockfile": "true"}  # as the page has it
        self.terraform.init(*(f"-backend-config={key}={value}" for key, value in place.items()))
        for what, variables, message in (
            ("a machine in a subnet without a route out", [], "has no route to the internet"),
            ("another account", ["-var=account_id=111111111111"], "account ID not allowed"),
            ("a region that there isn't", ["-var=region=us-east-9"], "us-east-9"),
        ):
            with self.proofs.of(f"terraform plan refuses {what}"):
                done = self.terraform.attempt("plan", "-input=false", "-no-color", *variables)
                expect([done.returncode, message in " ".join(done.stderr.split())], [1, True])

    def fill_the_database(self) -> None:
        """A user for the pipeline, and the sample, through a tunnel that a stand-in makes."""
        self.follow(
            "5. A user for the pipeline, and data",
            "through a tunnel (a stand-in), the certificate verified by the endpoint's name",
        )
        self.follow("6. The machine")
        before = self.account.reader_password
        self.follow("Rotate the password")
        with self.proofs.of("no password is printed, in the state, or what it was before"):
            texts = [self._state(), "\n".join(self.page.said)]
            secrets = [OWNER["password"], self.account.reader_password, before]
            expect([secret in text for secret in secrets for text in texts], [False] * 6)
            expect(before == self.account.reader_password, expected=False)

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
            for target in ("star/dim_dates", "raw"):
                expect("restored the version" in machine.run("restore", target), expected=True)
        with self.proofs.of("it publishes the sales report"):
            machine.dagster("asset", "materialize", "--select", "analytics/sales_report")

    def alert(self, machine: Machine) -> None:
        """As the daemon does, which evaluates the sensor every few seconds."""
        inbox = self.instance.inbox
        with self.proofs.of("a run that fails is told to the topic's subscribers"):
            try:
                machine.run("run", STARSCHEMA_SOURCE_CA="/nowhere")
            except NotProven:
                machine.dagster("sensor", "preview", "alert_after_failure")
            expect(inbox.wait().subject, "refresh_star_schema failed")

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
        for stage in ("raw", "star"):  # what was written there is no table
            self.account.client("s3").delete_object(Bucket=LAKE, Key=f"lake/{stage}/x/x.parquet")

    def boot_the_machine(self) -> None:
        """The EC2 instance in a container, where one boots."""
        try:
            self.instance.prove(
                lambda: json.loads(self.terraform.run("output", "-json", "machine")),
                self._apply,
            )
        except NoContainer as error:
            self.not_rehearsed = f"the machine, since no container boots here: {error}"
            return
        self.follow("6. The machine", kind="sh machine")
        with self.proofs.of("docs/deploy.md, Restore the star: in a session on the machine"):
            self.page.run("Restore the star", "sh machine-session", self.instance.debian.inside())

    def plan_again(self) -> None:
        """A plan sees nothing to do, until somebody changes something by hand."""
        with self.proofs.of("terraform plan shows no change"):
            expect(changes(self.terraform.plan()), {})
        # It prints what the emulator forgets, too
        self.follow("Find manual changes", known_to_differ=NO_CHANGES)
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

    def switch_on_spark(self, machine: Machine, pipeline: boto3.Session) -> None:
        """Later, with the same apply that mends what was changed by hand."""
        self.set(spark={"enabled": True})
        self.follow("Operation")
        self.follow("Update", "adds a Spark job, asked for meanwhile")
        if not self.not_rehearsed:
            self.follow("Update", kind="sh machine")
        with self.proofs.of("and mends what was changed by hand"):
            versioning = self.account.client("s3").get_bucket_versioning(Bucket=LAKE)
            expect(versioning["Status"], "Enabled")
        with self.proofs.of("terraform plan shows no change with it, either"):
            expect(changes(self.terraform.plan()), {})
        with (
            self.proofs.of(
                "the job makes and publishes the star with its role's policy alone (on this "
                "machine's Spark, a stand-in for Glue's workers)"
            ),
            rights.workers(self.account),
        ):
            machine.configure(self.terraform.output("dotenv"))
            machine.run("run")
        rights.prove_the_pipeline_runs_its_job(self.proofs, self.account, pipeline)

    def destroy(self) -> None:
        """From everything to nothing."""
        before = leftovers.found(self.account)
        with self.proofs.of("every kind of thing is there before the destroy"):
            expect([kind for kind, count in before.items() if not count], [])
        self.follow("Delete everything")
        with self.proofs.of("and leaves nothing of them, nor in the state"):
            after = leftovers.found(self.account)
            expect([kind for kind, count in after.items() if count], [])
            expect(json.loads(self._state())["resources"], [])
        with self.proofs.of("every command of docs/deploy.md was run that can be run here"):
            kinds = {"sh"} if self.not_rehearsed else {"sh", "sh machine", "sh machine-session"}
            commands = {(block.section, block.kind) for block in blocks() if block.kind in kinds}
            expect(commands - self.page.ran, set())

    def follow(
        self, section: str, what: str = "", *, kind: str = "sh", known_to_differ: str = ""
    ) -> None:
        """Run a section of docs/deploy.md; if it fails, nothing can follow."""
        if kind == "sh machine":
            what = "by a session of the machine (a stand-in)"
            inside(self.account.programs, self.instance.debian.inside())
        title = f"docs/deploy.md, {section}{f': {what}' if what else ''}"
        with self.proofs.of(title, needed=True):
            self.page.run(section, kind, known_to_differ=known_to_differ)

    def _apply(self) -> None:
        self.terraform.run("apply", "-auto-approve", "-input=false", "-no-color")

    def _state(self) -> str:
        answer = self.account.client("s3").get_object(Bucket=STATE_BUCKET, Key=STATE_KEY)
        text: str = answer["Body"].read().decode()
        return text
