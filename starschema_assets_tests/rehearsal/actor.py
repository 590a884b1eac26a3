"""Somebody of the account, and what they may try."""

from typing import Any

import boto3

from starschema_assets_tests.emulator import Credentials
from starschema_assets_tests.rehearsal.account import LAKE, Account
from starschema_assets_tests.rehearsal.proofs import Attempt


class Actor:
    """Somebody who tries things, each named as the table shows it."""

    def __init__(self, account: Account, who: Credentials | boto3.Session) -> None:
        self._account = account
        self._who = who

    def read(self, key: str, bucket: str = LAKE) -> Attempt:
        """Read an object."""
        return Attempt(f"read {_named(key)}", lambda: self._s3.get_object(Bucket=bucket, Key=key))

    def write(self, key: str, bucket: str = LAKE) -> Attempt:
        """Write an object."""
        return Attempt(
            f"write {_named(key)}", lambda: self._s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        )

    def delete(self, key: str) -> Attempt:
        """Delete an object of the lake."""
        return Attempt(
            f"delete {_named(key)}", lambda: self._s3.delete_object(Bucket=LAKE, Key=key)
        )

    def list(self, prefix: str) -> Attempt:
        """List the lake below a prefix."""
        return Attempt(
            f"list {prefix}", lambda: self._s3.list_objects_v2(Bucket=LAKE, Prefix=prefix)
        )

    def read_without_tls(self, key: str) -> Attempt:
        """Read an object of the lake; the emulator is told that it was asked without TLS."""
        s3 = self._s3
        s3.meta.events.register(
            "before-sign.s3.GetObject",
            lambda request, **_: request.headers.add_header("X-Forwarded-Proto", "http"),
        )
        return Attempt(
            f"read {_named(key)} without TLS", lambda: s3.get_object(Bucket=LAKE, Key=key)
        )

    def ask(self, workgroup: str) -> Attempt:
        """Start a query in a workgroup."""
        return self.call(
            f"ask in {workgroup}",
            "athena",
            "start_query_execution",
            QueryString="select count(*) from dim_dates",
            QueryExecutionContext={"Database": "starschema"},
            WorkGroup=workgroup,
        )

    def call(self, what: str, service: str, operation: str, **arguments: Any) -> Attempt:
        """Do anything else."""
        client = self._account.client(service, self._who)
        return Attempt(what, lambda: getattr(client, operation)(**arguments))

    @property
    def _s3(self) -> Any:
        return self._account.client("s3", self._who)


def _named(key: str) -> str:
    """A shorter name for the table: the lake's folder and the file's own name say nothing new."""
    folder, _, file = key.removeprefix("lake/").rpartition("/")
    return folder if file.endswith(".parquet") else f"{folder}/{file}"
