"""The lock of a lake on S3: one object that is only ever written on a condition.

Whoever writes it last holds the lake. A holder renews it well within TTL; one that doesn't is
taken for dead once the object is older than TTL by the server's own clock, so the clocks of the
machines don't matter.
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
"""Seconds that a lease outlives its last renewal."""
RENEWAL = 8
"""Seconds between renewals: one may fail without harm."""
POLL = 1


@dataclass(frozen=True)
class Claim:
    """What the lock object says; no two claims are equal, since ETags tell them apart."""

    holder: str
    since: str
    token: str
    renewal: int = 0
    released: bool = False


@dataclass(frozen=True)
class Seen:
    """The lock object as read, and its age in seconds by the server's clock."""

    claim: Claim
    etag: str
    age: float


class LockObject:
    """The object, read and written on a condition; a repeated write is told from a lost race."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        """Nothing is read or written yet."""
        self._client = client
        self.bucket = bucket
        self.key = key
        self.uri = f"s3://{bucket}/{key}"

    def read(self) -> Seen | None:
        """The object as it is, or None if there is none."""
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (now - answer["LastModified"]).total_seconds()
        return Seen(Claim(**json.loads(answer["Body"].read())), answer["ETag"], age)

    def write(self, claim: Claim, replacing: str | None) -> str | None:
        """Write if the object still has that ETag (None: if there is none); return the new ETag.

        None if somebody else wrote first.
        """
        condition: dict[str, Any] = {"IfMatch": replacing} if replacing else {"IfNoneMatch": "*"}
        body = json.dumps(asdict(claim)).encode()
        try:
            answer = self._client.put_object(
                Bucket=self.bucket,
                Key=self.key,
                Body=body,
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if not is_conflict(error) and not is_missing(error):
                raise
            # Perhaps our own last request succeeded after all, and just its answer was lost.
            seen = self.read()
            if seen is None or seen.claim.token != claim.token:
                return None
            return seen.etag if seen.claim == claim else self.write(claim, seen.etag)
        return answer["ETag"]


class S3Lease:
    """The lock while this process holds it; a thread renews it."""

    def __init__(self, lock: LockObject, renewals: LockObject, claim: Claim, etag: str) -> None:
        """The lock object has that ETag and says that claim.

        `renewals` is the same object by a client that gives up soon: a renewal that comes late is
        worth nothing.
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
        """Renew now, so that the server itself says who holds the lock. Raises LeaseLost."""
        with clear_errors(self._lock.bucket, self._lock.key, "Renewing the lake's lock"):
            self._renew(self._lock)

    def release(self) -> None:
        """Let the next one in at once; if S3 can't be reached, it has to wait for TTL."""
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
                continue  # it is still ours until another run takes it over

    def _renew(self, lock: LockObject) -> None:
        with self._mutex:
            if self._etag:
                self._claim = replace(self._claim, renewal=self._claim.renewal + 1)
                self._etag = lock.write(self._claim, self._etag)
            if self._etag is None:
                raise LeaseLost(
                    f"{self._lock.uri} was taken over by another run, after this one could not "
                    f"renew it for {TTL} s: nothing more is published; run again."
                )


@contextmanager
def lease(
    lock: LockObject, renewals: LockObject, holder: str, wait: int, log: Logger
) -> Iterator[S3Lease]:
    """Hold the lock; wait for it for up to `wait` seconds, then raise LakeBusy."""
    with clear_errors(lock.bucket, lock.key, "Taking the lake's lock"):
        claim, etag = _take(lock, holder, wait, log)
    held = S3Lease(lock, renewals, claim, etag)
    try:
        yield held
    finally:
        try:
            held.release()
        except (ClientError, BotoCoreError) as error:
            log.warning("%s was not released, and is free in %s s: %s", lock.uri, TTL, error)


def _take(lock: LockObject, holder: str, wait: int, log: Logger) -> tuple[Claim, str]:
    claim = Claim(holder, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", uuid.uuid4().hex)
    deadline = time.monotonic() + wait
    told = None
    while True:
        seen = lock.read()
        # The server's times are whole seconds, hence a second more.
        is_free = seen is None or seen.claim.released or seen.age > TTL
        if is_free and (etag := lock.write(claim, seen.etag if seen else None)):
            return claim, etag
        if seen and not is_free:
            whom = f"{seen.claim.holder}, since {seen.claim.since}"
            if told != whom:
                told = whom
                log.info("Waiting for the lake: %s is held by %s.", lock.uri, whom)
            if time.monotonic() >= deadline:
                raise LakeBusy(
                    f"{lock.uri} is still held after {wait} s by {whom}: let that run end and run "
                    f"again, or wait longer with STARSCHEMA_LOCK_WAIT. (If it was killed, its lock "
                    f"ends {TTL} s after its last sign of life.)"
                )
            time.sleep(max(0, min(POLL, deadline - time.monotonic())))
