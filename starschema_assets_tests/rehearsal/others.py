"""What else is in the account of a rehearsal, and none of the project's business."""

import json

from starschema_assets_tests.rehearsal.account import ACCOUNT_ID, Account
from starschema_assets_tests.rehearsal.company import PASSWORD

OTHERS = "payroll"
"""The name of what belongs to another project."""


class Others:
    """The company's secret for the reader of its database, and things of another project."""

    def __init__(self, account: Account) -> None:
        secrets = account.client("secretsmanager")
        login = json.dumps({"username": "reader", "password": PASSWORD})
        self.reader: str = secrets.create_secret(Name="sales/reader", SecretString=login)["ARN"]
        self.secret: str = secrets.create_secret(Name=OTHERS, SecretString=login)["ARN"]
        self.topic: str = account.client("sns").create_topic(Name=OTHERS)["TopicArn"]
        ec2 = account.client("ec2")
        self.vpc: str = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        account.aws.add_crawler(OTHERS, OTHERS, f"s3://{OTHERS}/")
        account.client("glue").create_job(
            Name=OTHERS,
            Role=f"arn:aws:iam::{ACCOUNT_ID}:role/{OTHERS}-crawler",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{OTHERS}/job.py"},
        )
