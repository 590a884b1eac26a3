"""The lock of a lake on S3: an object that is written with conditional requests only.

The last writer of the object holds the lock, and renews it several times within TTL seconds.
If the object is older than TTL, the holder is considered dead and others may take the lock. The
age is computed with the server's clock only, so clocks of machines don't matter.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from logging import Logger
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from starschema_assets.lake.errors import LakeBusy, LeaseLost
from starschema_assets.lake.s3_bucket import clear_errors, is_conflict, is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TTL = 30
"""Seconds after the last renewal until a lease expires."""
RENEWAL = 8
"""Seconds between renewals. The lease stays valid if one renewal fails."""
POLL = 1


@dataclass(frozen=True)
class Claim:
    """Content of the lock object. All claims differ, so that their ETags differ."""

    holder: str
    since: str
    token: str
    renewal: int = 0
    released: bool = False


@dataclass(frozen=True)
class Seen:
    """A claim that was read, its ETag, and its age in seconds by the server's clock."""

    claim: Claim
    etag: str
    age: float


class LockObject:
    """Reads the lock object and writes it conditionally. Recognizes its own repeated writes."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        """Make no request yet."""
        self._client = client
        self.bucket = bucket
        self.key = key
        self.uri = f"s3://{bucket}/{key}"

    def read(self) -> Seen | None:
        """Read the object. Return None if it doesn't exist."""
        try:
            response = self._client.get_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        now = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (now - response["LastModified"]).total_seconds()
        return Seen(Claim(**json.loads(response["Body"].read())), response["ETag"], age)

    def write(self, claim: Claim, replacing: str | None) -> str | None:
        """Write if the object's ETag is `replacing` (None: if there is no object).

        Returns the new ETag, or None if another writer was first.
        """
        condition: dict[str, Any] = {"IfMatch": replacing} if replacing else {"IfNoneMatch": "*"}
        body = json.dumps(asdict(claim)).encode()
        try:
            response = self._client.put_object(
                Bucket=self.bucket,
                Key=self.key,
                Body=body,
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if not is_conflict(error) and not is_missing(error):
                raise
            # The last request may have succeeded although its response was lost.
            seen = self.read()
            if seen is None or seen.claim.token != claim.token:
                return None
            return seen.etag if seen.claim == claim else self.write(claim, seen.etag)
        return response["ETag"]


class S3Lease:
    """The lock while this process holds it. A thread renews it."""

    def __init__(self, lock: LockObject, renewals: LockObject, claim: Claim, etag: str) -> None:
        """Start renewing. The lock object contains `claim` and has the ETag `etag`.

        `renewals` is the same object through a client with short timeouts, because a late renewal
        is useless.
        """
        self._lock = lock
        self._renewals = renewals
        self._claim = claim
        self._etag: str | None = etag
        self._mutex = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, daemon=True)
        self._thread.start()

    def verify(self) -> None:
        """Renew now, to be sure that this process holds the lock. Raises LeaseLost."""
        with clear_errors(self._lock.bucket, self._lock.key, "Renewing the lake's lock"):
            self._renew(self._lock)

    def release(self) -> None:
        """Release the lock. If this fails, the next holder has to wait for TTL seconds."""
        self._ended.set()
        self._thread.join()
        with self._mutex:
            if self._etag:
                self._lock.write(replace(self._claim, released=True), self._etag)

    def _keep_renewing(self) -> None:
        while not self._ended.wait(RENEWAL):
            try:
                self._renew(self._renewals)
            except LeaseLost:
                return
            except (ClientError, BotoCoreError):
                continue  # the lock is held until another run takes it over

    def _renew(self, lock: LockObject) -> None:
        with self._mutex:
            if self._etag:
                self._claim = replace(self._claim, renewal=self._claim.renewal + 1)
                self._etag = lock.write(self._claim, self._etag)
            if self._etag is None:
                raise LeaseLost(
                    f"{self._lock.uri} was taken over by another run, because this run did not "
                    f"renew it for {TTL} s. Nothing more is published: start this run again."
                )


@contextmanager
def lease(
    lock: LockObject, renewals: LockObject, holder: str, wait: int, log: Logger
) -> Iterator[S3Lease]:
    """Hold the lock. Raise LakeBusy if it isn't free within `wait` seconds."""
    with clear_errors(lock.bucket, lock.key, "Taking the lake's lock"):
        claim, etag = _take(lock, holder, wait, log)
    held = S3Lease(lock, renewals, claim, etag)
    try:
        yield held
    finally:
        try:
            held.release()
        except (ClientError, BotoCoreError) as error:
            log.warning("%s was not released and expires in %s s: %s", lock.uri, TTL, error)


def _take(lock: LockObject, holder: str, wait: int, log: Logger) -> tuple[Claim, str]:
    claim = Claim(holder, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", uuid.uuid4().hex)
    deadline = time.monotonic() + wait
    logged = None
    while True:
        seen = lock.read()
        # The server's times are whole seconds, so `>` instead of `>=`.
        is_free = seen is None or seen.claim.released or seen.age > TTL
        if is_free and (etag := lock.write(claim, seen.etag if seen else None)):
            return claim, etag
        if seen and not is_free:
            whom = f"{seen.claim.holder}, since {seen.claim.since}"
            if logged != whom:
                logged = whom
                log.info("Waiting for the lake: %s is held by %s.", lock.uri, whom)
            if time.monotonic() >= deadline:
                raise LakeBusy(
                    f"{lock.uri} is still held after {wait} s by {whom}: start this run again when "
                    f"that run has ended, or increase STARSCHEMA_LOCK_WAIT. (The lock of a killed "
                    f"run expires {TTL} s after its last renewal.)"
                )
            time.sleep(max(0, min(POLL, deadline - time.monotonic())))
