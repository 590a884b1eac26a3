"""What policies grant, beside what their holders asked for: nothing refused, nothing granted idly.

The emulator records each authorization. A grant that no recorded request used is in UNRECORDED,
with the reason for which AWS needs it all the same, and where AWS says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from starschema_assets_tests.emulator import Call
from starschema_assets_tests.rehearsal.account import ATTEMPTS, Account
from starschema_assets_tests.rehearsal.proofs import Proofs, expect
from starschema_assets_tests.rehearsal.unrecorded import NOT_BOOTED, UNRECORDED, Unrecorded

HOLDERS = {
    "starschema-pipeline": ":assumed-role/starschema-pipeline/",
    "starschema-crawler": ":assumed-role/starschema-crawler/",
    "starschema-spark": ":user/starschema-spark",
    "starschema-analyst": ":user/analyst",
}
"""Roles, and the policy of analysts, with a part of the ARN of who holds them."""
ON_PURPOSE = {"iam:ListRoles *"}
"""What the machine's role is tried with, to see it refused: instance.py."""


@dataclass(frozen=True)
class Grant:
    """An action that a statement allows on some resources."""

    statement: str
    action: str
    resources: tuple[str, ...]
    """More than one where AWS asks for all of them at once: a table, its database, the catalog."""

    def is_used_by(self, call: Call) -> bool:
        """Whether a request needed it."""
        return call.action == self.action and any(
            fnmatchcase(call.resource, resource) for resource in self.resources
        )

    def __str__(self) -> str:
        return f"{self.statement} {self.action} {' '.join(self.resources)}"


def prove_that_nothing_is_granted_idly(
    proofs: Proofs, account: Account, *, with_machine: bool
) -> None:
    """Compare what was recorded until now with the policies as they are now."""
    reasons = dict(UNRECORDED)
    if not with_machine:
        reasons["starschema-pipeline"] = [*reasons["starschema-pipeline"], NOT_BOOTED]
    calls = [call for call in account.aws.calls if ATTEMPTS not in call.who]
    for name, holder in HOLDERS.items():
        own = [call for call in calls if holder in call.who]
        if own:
            with proofs.of(f"{name}: none of {len(own):,} recorded requests was refused"):
                refused = {f"{call.action} {call.resource}" for call in own if not call.allowed}
                expect(sorted(refused - ON_PURPOSE), [])
        with proofs.of(f"{name}: each grant was used, or has its reason and source"):
            idle = [
                grant
                for grant in granted(account, name)
                if not any(grant.is_used_by(call) for call in own)
            ]
            expect(list(unexplained(idle, reasons[name])), [])


def granted(account: Account, name: str) -> list[Grant]:
    """What a role's own policies allow, or the policy of that name."""
    iam = account.client("iam")
    return [grant for document in _documents(iam, name) for grant in _grants(document)]


def unexplained(idle: Iterable[Grant], reasons: Sequence[Unrecorded]) -> Iterator[str]:
    """Grants without a reason, and reasons without a grant."""
    left = list(reasons)
    for grant in idle:
        found = [reason for reason in reasons if fnmatchcase(str(grant), reason.grants)]
        if not found:
            yield f"not used, and no reason given: {grant}"
        left = [reason for reason in left if reason not in found]
    for reason in left:
        yield f"a reason for what is used, or isn't granted: {reason.grants}"


def _documents(iam: Any, name: str) -> Iterator[dict[str, Any]]:
    if name in {role["RoleName"] for role in iam.list_roles()["Roles"]}:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            yield iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        return
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        if policy["PolicyName"] == name:
            version = {"PolicyArn": policy["Arn"], "VersionId": policy["DefaultVersionId"]}
            yield iam.get_policy_version(**version)["PolicyVersion"]["Document"]


def _grants(document: dict[str, Any]) -> Iterator[Grant]:
    for statement in document["Statement"]:
        resources = _list(statement["Resource"])
        for action in _list(statement["Action"]):
            if action.startswith("s3:"):
                for resource in resources:
                    yield Grant(statement["Sid"], action, (resource,))
            else:
                yield Grant(statement["Sid"], action, tuple(resources))


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
