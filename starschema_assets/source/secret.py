"""The source's user and password in AWS Secrets Manager, as RDS keeps and rotates them."""

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
    """A user of the source."""

    user: str
    password: SecretStr


class SourceSecret:
    """A secret by its name or ARN; its newest value is fetched when first needed, then kept."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._login: Login | None = None

    def login(self) -> Login:
        """The user and password that are kept, or else fetched."""
        if self._login is None:
            self._login = _parsed(self._text())
        if self._login is None:
            raise self._error(
                'it must be JSON as RDS keeps it: {"username": "...", "password": "..."}'
            )
        return self._login

    def log_in(self, connect: Callable[[Login], Answer]) -> Answer:
        """What `connect` returns, which raises LoginRefused if the source refuses the login.

        Then the secret may have been rotated since it was fetched, so it is fetched again, once.
        """
        try:
            return connect(self.login())
        except LoginRefused:
            self._login = None
        return connect(self.login())

    def _text(self) -> str | None:
        """The secret; None if it has only bytes."""
        # boto3 takes a third of a second to import, which nobody without a secret needs to spend
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
                said += " Create it in this account and region, or give the ARN of another's"
        except BotoCoreError as error:
            said = advice(error, "secretsmanager")
        else:
            return text
        raise self._error(said)

    def _error(self, said: str) -> SourceError:
        return SourceError(f"STARSCHEMA_SOURCE_SECRET {self._name}: {' '.join(said.split())}")


def _parsed(text: str | None) -> Login | None:
    """The login; None, not an error, if there is none: a parser's error holds the whole text."""
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
