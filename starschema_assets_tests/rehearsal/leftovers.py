"""What of this project is in an account, wherever AWS lists something."""

import json
from typing import Any

from starschema_assets_tests.rehearsal.account import Account

NAME = "starschema"

LISTINGS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("athena", "list_work_groups", "WorkGroups", {}),
    (
        "ec2",
        "describe_instances",
        "Reservations",
        {"Filters": [{"Name": "instance-state-name", "Values": ["running"]}]},
    ),
    ("ec2", "describe_route_tables", "RouteTables", {}),
    ("ec2", "describe_security_groups", "SecurityGroups", {}),
    ("ec2", "describe_subnets", "Subnets", {}),
    ("glue", "get_crawlers", "Crawlers", {}),
    ("glue", "get_databases", "DatabaseList", {}),
    ("glue", "get_jobs", "Jobs", {}),
    ("glue", "get_security_configurations", "SecurityConfigurations", {}),
    ("iam", "list_instance_profiles", "InstanceProfiles", {}),
    ("iam", "list_policies", "Policies", {"Scope": "Local"}),
    ("iam", "list_roles", "Roles", {}),
    ("kms", "list_aliases", "Aliases", {}),
    ("logs", "describe_log_groups", "logGroups", {}),
    ("rds", "describe_db_instances", "DBInstances", {}),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups", {}),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups", {}),
    ("s3", "list_buckets", "Buckets", {}),
    ("secretsmanager", "list_secrets", "SecretList", {}),
    ("sns", "list_topics", "Topics", {}),
]
"""Service, operation, where its answer has the list, and what it is asked with."""


def found(account: Account) -> dict[str, int]:
    """How many things of the project each listing shows, by name or tag."""
    counts = {}
    for service, operation, key, arguments in LISTINGS:
        answer = getattr(account.client(service), operation)(**arguments)
        named = [item for item in answer[key] if NAME in json.dumps(item, default=str)]
        counts[f"{service} {key}"] = len(named)
    keys = account.client("kms")
    enabled = [
        key["KeyId"]
        for key in keys.list_keys()["Keys"]
        if keys.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
        and NAME in keys.describe_key(KeyId=key["KeyId"])["KeyMetadata"].get("Description", "")
    ]
    return counts | {"kms Keys": len(enabled)}
