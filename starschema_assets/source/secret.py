"""Reads the source's user and password from AWS Secrets Manager, in the format of RDS."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr

from starschema_assets.source.errors import LoginRefused, SourceError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Login:
    """User and password of the source."""

    user: str
    password: SecretStr


class SourceSecret:
    """A secret, by name or ARN. Its value is fetched at the first use and then cached."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._login: Login | None = None

    def login(self) -> Login:
        """Return the cached login, or fetch it."""
        if self._login is None:
            self._login = _parsed(self._text())
        if self._login is None:
            raise self._error(
                "the secret must be JSON with user and password, as RDS stores it: "
                '{"username": "...", "password": "..."}'
            )
        return self._login

    def log_in(self, connect: Callable[[Login], Answer]) -> Answer:
        """Call `connect` with the login and return its result.

        If it raises LoginRefused, the secret may have been rotated since it was fetched. So the
        secret is fetched again, and `connect` is called once more.
        """
        try:
            return connect(self.login())
        except LoginRefused:
            self._login = None
        return connect(self.login())

    def _text(self) -> str | None:
        """Return the text of the secret; None if it is binary."""
        # Imported only if a secret is used: importing boto3 takes a third of a second
        import boto3  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        from starschema_assets.aws import advice, client_config, code_of  # noqa: PLC0415

        arn = re.match(r"arn:[^:]*:secretsmanager:([^:]*):", self._name)
        region = arn[1] if arn else None  # None: that of the default chain
        try:
            client = boto3.Session(region_name=region).client(
                "secretsmanager", config=client_config()
            )
            text: str | None = client.get_secret_value(SecretId=self._name).get("SecretString")
        except ClientError as error:
            said = advice(error, "secretsmanager")
            if code_of(error) == "ResourceNotFoundException":
                said += " Create it in this account and region, or set the ARN of another one"
        except BotoCoreError as error:
            said = advice(error, "secretsmanager")
        else:
            return text
        raise self._error(said)

    def _error(self, said: str) -> SourceError:
        return SourceError(f"STARSCHEMA_SOURCE_SECRET {self._name}: {' '.join(said.split())}")


def _parsed(text: str | None) -> Login | None:
    """Return the login, or None if invalid. A parser's error would contain the secret's text."""
    try:
        content = json.loads(text or "")
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    user, password = content.get("username"), content.get("password")
    if not (isinstance(user, str) and user and isinstance(password, str) and password):
        return None
    return Login(user, SecretStr(password))
