"""A stand-in for EC2's instance metadata: the credentials of its role, by IMDSv2 alone."""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import boto3

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


@contextmanager
def metadata(role: str, session: boto3.Session) -> Iterator[int]:
    """The port of a server that gives a session's credentials, within the second that is waited."""
    keys = session.get_credentials()
    assert keys
    assert keys.token
    given = {
        "AccessKeyId": keys.access_key,
        "SecretAccessKey": keys.secret_key,
        "Token": keys.token,
    }

    class Handler(_Handler):
        name = role
        keys_of_role = given

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    name: ClassVar[str]
    keys_of_role: ClassVar[dict[str, str]]
    token: ClassVar[str] = secrets.token_urlsafe()

    def do_PUT(self) -> None:
        known = self.path == "/latest/api/token"
        self._answer(200 if known else 404, self.token if known else "")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != self.token:
            self._answer(401, "")
        elif self.path == CREDENTIALS:
            self._answer(200, self.name)
        elif self.path == CREDENTIALS + self.name:
            self._answer(200, json.dumps(self._credentials()))
        else:
            self._answer(404, "")

    def _credentials(self) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "Expiration": f"{now + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}",
            **self.keys_of_role,
        }

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: a test's output is not an access log."""
