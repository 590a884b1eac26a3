"""What else is in the account of a rehearsal, and none of the project's business."""

import json

from starschema_assets_tests.rehearsal.account import ACCOUNT_ID, Account

OTHERS = "payroll"
"""The name of what belongs to another project."""


class Others:
    """Things of another project, and the network of the account."""

    def __init__(self, account: Account) -> None:
        secrets = account.client("secretsmanager")
        login = json.dumps({"username": "clerk", "password": "clerk"})
        self.secret: str = secrets.create_secret(Name=OTHERS, SecretString=login)["ARN"]
        self.topic: str = account.client("sns").create_topic(Name=OTHERS)["TopicArn"]
        self._ec2 = account.client("ec2")
        account.aws.add_crawler(OTHERS, OTHERS, f"s3://{OTHERS}/")
        account.client("glue").create_job(
            Name=OTHERS,
            Role=f"arn:aws:iam::{ACCOUNT_ID}:role/{OTHERS}-crawler",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{OTHERS}/job.py"},
        )

    def open_a_way_out(self) -> None:
        """The route of a default VPC to its internet gateway, which the emulator's lacks."""
        (gateway,) = self._ec2.describe_internet_gateways()["InternetGateways"]
        (table,) = self._ec2.describe_route_tables()["RouteTables"]
        self._ec2.create_route(
            RouteTableId=table["RouteTableId"],
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=gateway["InternetGatewayId"],
        )
