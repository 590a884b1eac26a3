"""What each role may do and what it is denied, one beside the other."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from starschema_assets_tests.emulator import REGION, Credentials
from starschema_assets_tests.glue_workers import GlueWorkers
from starschema_assets_tests.rehearsal.account import ACCOUNT_ID, ATTEMPTS, LAKE, RESULTS, Account
from starschema_assets_tests.rehearsal.actor import Actor
from starschema_assets_tests.rehearsal.others import OTHERS, Others
from starschema_assets_tests.rehearsal.proofs import Proofs

FACTS = "lake/star/fact_orders/fact_orders.parquet"
CUSTOMERS = "lake/raw/customers/customers.parquet"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:starschema-alerts"


def prove_the_analysts_rights(proofs: Proofs, account: Account, analyst: boto3.Session) -> None:
    """An analyst asks, and nothing else."""
    who = Actor(account, analyst)
    tables = who.call("list tables", "glue", "get_tables", DatabaseName="starschema")
    databases = who.call("list databases", "glue", "get_databases")
    queries = who.call(
        "list the questions", "athena", "list_named_queries", WorkGroup="starschema-analysts"
    )
    for allowed, refused in [
        (who.read(FACTS), who.read(CUSTOMERS)),
        (who.read(FACTS), who.read_without_tls(FACTS)),
        (who.read(FACTS), who.delete(FACTS)),
        (who.list("lake/star/"), who.list("lake/raw/")),
        (who.write("analysts/x.csv", RESULTS), who.write("pipeline/x.csv", RESULTS)),
        (who.write("analysts/x.csv", RESULTS), who.write(FACTS)),
        (who.ask("starschema-analysts"), who.ask("starschema-pipeline")),
        (
            queries,
            who.call(
                "add one",
                "athena",
                "create_named_query",
                Name="x",
                Database="starschema",
                QueryString="select 1",
                WorkGroup="starschema-analysts",
            ),
        ),
        (
            tables,
            who.call(
                "drop one", "glue", "delete_table", DatabaseName="starschema", Name="dim_dates"
            ),
        ),
        (
            tables,
            who.call("start the crawler", "glue", "start_crawler", Name="starschema-star"),
        ),
        (
            databases,
            who.call("make one", "glue", "create_database", DatabaseInput={"Name": "x"}),
        ),
        (tables, who.call("list roles", "iam", "list_roles")),
    ]:
        proofs.one_not_the_other("an analyst", allowed, refused)


def prove_the_pipelines_rights(
    proofs: Proofs,
    account: Account,
    pipeline: boto3.Session,
    analyst: boto3.Session,
    others: Others,
) -> None:
    """It has its own secret, topic, crawler, prefixes and workgroup, and deletes nothing."""
    who = Actor(account, pipeline)
    crawler, other_crawler = (
        who.call(f"start the crawler {name}", "glue", "start_crawler", Name=name)
        for name in ("starschema-star", OTHERS)
    )
    secret, other_secret = (
        who.call(f"read {what}", "secretsmanager", "get_secret_value", SecretId=arn)
        for what, arn in (("its secret", account.reader_secret), ("another", others.secret))
    )
    topic, other_topic = (
        who.call(f"publish to {what}", "sns", "publish", TopicArn=arn, Message="rehearsal")
        for what, arn in (("its topic", TOPIC), ("another", others.topic))
    )
    not_analyst = Actor(account, analyst).call(
        "read it as an analyst",
        "secretsmanager",
        "get_secret_value",
        SecretId=account.reader_secret,
    )
    versions = who.call("list versions", "s3", "list_object_versions", Bucket=LAKE)
    for allowed, refused in [
        (secret, other_secret),
        (secret, not_analyst),
        (topic, other_topic),
        (crawler, other_crawler),
        (who.write("lake/raw/x/x.parquet"), who.delete("lake/raw/x/x.parquet")),
        (who.write("lake/raw/x/x.parquet"), who.write("elsewhere/x.parquet")),
        (who.write("lake/raw/x/x.parquet"), who.write("lake/_spark/code/x")),
        (who.read(CUSTOMERS), who.read_without_tls(CUSTOMERS)),
        (who.ask("starschema-pipeline"), who.ask("starschema-analysts")),
        (
            versions,
            who.call(
                "end versioning",
                "s3",
                "put_bucket_versioning",
                Bucket=LAKE,
                VersioningConfiguration={"Status": "Suspended"},
            ),
        ),
        (
            versions,
            who.call(
                "purge one",
                "s3",
                "delete_object",
                Bucket=LAKE,
                Key=FACTS,
                VersionId="null",
            ),
        ),
    ]:
        proofs.one_not_the_other("the pipeline", allowed, refused)


def prove_the_pipeline_runs_its_job(
    proofs: Proofs, account: Account, pipeline: boto3.Session
) -> None:
    """Once the Spark job is there."""
    who = Actor(account, pipeline)
    own, other = (
        who.call(f"run the Spark job {name}", "glue", "start_job_run", JobName=name)
        for name in ("starschema-star", OTHERS)
    )
    proofs.one_not_the_other("the pipeline", own, other)


def prove_glues_rights(proofs: Proofs, account: Account) -> None:
    """Crawler and Spark job, by their policies as they were applied.

    Only Glue can take the roles themselves, so users get the policies for the time of the proof.
    """
    with_policy = dict(_users_with_policies(account))
    crawler = Actor(account, with_policy["starschema-crawler"])
    spark = Actor(account, with_policy["starschema-spark"])
    described, other = (
        crawler.call(
            f"describe tables of {database}",
            "glue",
            "create_table",
            DatabaseName=database,
            TableInput={"Name": "x"},
        )
        for database in ("starschema", OTHERS)
    )
    for who, allowed, refused in [
        ("the crawler", crawler.read(FACTS), crawler.read(CUSTOMERS)),
        ("the crawler", crawler.read(FACTS), crawler.write(FACTS)),
        ("the crawler", described, other),
        ("the Spark job", spark.read(CUSTOMERS), spark.write(CUSTOMERS)),
        (
            "the Spark job",
            spark.write("lake/star/x/x.parquet"),
            spark.delete("lake/star/x/x.parquet"),
        ),
        (
            "the Spark job",
            spark.write("lake/_spark/messages/x"),
            spark.write("lake/_spark/code/x"),
        ),
    ]:
        proofs.one_not_the_other(who, allowed, refused)
    glue = account.client("glue")
    glue.delete_table(DatabaseName="starschema", Name="x")
    for name in with_policy:
        account.remove_user(f"{name}-{ATTEMPTS}")


@contextmanager
def workers(account: Account) -> Iterator[None]:
    """Glue's workers for the time of a `with` block, with the Spark job's policy."""
    role = "starschema-spark"
    user = account.user(role, document=_policy_of(account, role))
    keys = user.get_credentials()
    assert keys
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STARSCHEMA_"))}
    environment |= Credentials(keys.access_key, keys.secret_key).environment(account.aws.url)
    environment |= {
        "AWS_CA_BUNDLE": str(account.authority.file),
        "TMPDIR": str(account.folder),
        # Compile once and simply: a job this small takes less than half as long
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    GlueWorkers(
        account.client("glue"), "starschema-star", account.proxy, environment
    ).run_the_script()
    try:
        yield
    finally:
        for faults in (account.proxy.on_start, account.proxy.alter):
            faults.pop("StartJobRun", None)
            faults.pop("GetJobRun", None)
        account.remove_user(role)


def _users_with_policies(account: Account) -> Iterator[tuple[str, boto3.Session]]:
    for role in ("starschema-crawler", "starschema-spark"):
        yield role, account.user(f"{role}-{ATTEMPTS}", document=_policy_of(account, role))


def _policy_of(account: Account, role: str) -> str:
    """The document of a role that only Glue can take."""
    iam = account.client("iam")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
