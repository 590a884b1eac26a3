"""What a plan of Terraform would change, apart from what the emulator doesn't remember."""

from collections.abc import Iterator
from typing import Any

FORGOTTEN = {
    ("aws_glue_crawler", "tags_all"),
    ("aws_glue_crawler", "lineage_configuration"),
    ("aws_glue_job", "tags_all"),
    ("aws_db_instance", "enabled_cloudwatch_logs_exports"),
    ("aws_db_instance", "engine_lifecycle_support"),
}
"""Attributes that ministack takes and doesn't give back: excused where it left them empty."""

NOT_CHANGED = {("aws_vpc_security_group_egress_rule", "referenced_security_group_id")}
"""An attribute whose change ministack takes and doesn't carry out: excused whatever it is."""

EMPTY: tuple[Any, ...] = (None, "", {}, [], [{"crawler_lineage_settings": ""}])


def changes(plan: dict[str, Any]) -> dict[str, list[str]]:
    """The attributes that would change, by resource."""
    found = {change["address"]: list(_attributes(change)) for change in plan["resource_changes"]}
    return {address: attributes for address, attributes in found.items() if attributes}


def _attributes(resource: dict[str, Any]) -> Iterator[str]:
    change = resource["change"]
    if change["actions"] in (["no-op"], ["read"]):
        return
    before, after = change["before"], change["after"]
    if before is None or after is None:
        yield change["actions"][0]
        return
    unknown = set(change["after_unknown"])
    for name in sorted(before.keys() | after.keys() | unknown):
        is_changed = name in unknown or before.get(name) != after.get(name)
        attribute = (resource["type"], name)
        is_excused = attribute in NOT_CHANGED or (
            attribute in FORGOTTEN and before.get(name) in EMPTY
        )
        if is_changed and not is_excused:
            yield name
