"""Create the pipeline's user in Terraform's database, or rotate its password (`make reader`).

Run `python -m starschema_assets.deployment.reader` where Terraform ran, with the same credentials.
The user may SELECT from this one database, over TLS only. The random password is stored in the
database and in the secret, and isn't shown. A second run sets a new password.
"""

import argparse
import json
import secrets
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pymysql
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr
from pymysql.constants import ER

from starschema_assets import command
from starschema_assets.aws import advice, client_config
from starschema_assets.deployment.connection import Access, access
from starschema_assets.deployment.outputs import Database, DeploymentError, database
from starschema_assets.settings import Settings
from starschema_assets.source.secret import Login

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

USER = "reader"
ACCOUNT = f"'{USER}'@'%'"
BYTES = 32
"""Number of random bytes in the password, which is encoded as URL-safe base64."""


def main(arguments: list[str] | None = None) -> None:
    """Create the user or rotate its password."""
    parser = argparse.ArgumentParser("make reader", description=__doc__)
    parser.add_argument(
        "--through",
        metavar="INSTANCE",
        help="EC2 instance for a Session Manager tunnel to the database "
        "(default: the machine that Terraform created)",
    )
    parser.add_argument(
        "--direct", action="store_true", help="connect without a tunnel, from this machine"
    )
    options = parser.parse_args(arguments)
    made = database()
    through = None if options.direct else options.through or made.machine
    with access(made, through, Settings().source_ca) as way:
        is_new = make_reader(way)
    print(
        f"User {USER} {'was created' if is_new else 'has a new password'}. It may SELECT from "
        f"{made.name} on {made.host}, over TLS only. Its login is in the secret "
        f"{made.reader_secret}."
    )


def make_reader(way: Access) -> bool:
    """Create the user or set a new password, and return whether the user is new.

    Raises DeploymentError. A user with other privileges isn't changed. The secret is written after
    the database has accepted the login. On MySQL the old password is valid until then, so a running
    refresh can sign in at any time.
    """
    password = secrets.token_urlsafe(BYTES)
    login = Login(USER, SecretStr(password))
    with closing(way.as_owner()) as owner:
        try:
            is_new = not _exists(owner, way.database)
            _set_password(owner, way.database, password, is_new=is_new)
            way.connect(login).close()
            _put(way.database, login)
            _run(owner, f"ALTER USER {ACCOUNT} /*!80014 DISCARD OLD PASSWORD */ REQUIRE SSL")
        except pymysql.MySQLError as error:
            said = str(error.args[-1]).replace(password, "***")
            raise DeploymentError(f"{way.database.host}: {said}") from None
    return is_new


def _exists(owner: "Connection[Cursor]", made: Database) -> bool:
    """Return whether the user exists. Raises DeploymentError if it has other privileges."""
    try:
        grants = [grant for (grant,) in _run(owner, f"SHOW GRANTS FOR {ACCOUNT}")]
    except pymysql.MySQLError as error:
        if error.args[0] != ER.NONEXISTING_GRANT:
            raise
        return False
    names = {made.name, _pattern(made.name)}
    expected = ["USAGE ON *.*", *(f"SELECT ON `{name}`.*" for name in names)]
    for grant in grants:
        right = grant.removeprefix("GRANT ").partition(" TO ")[0]
        if right not in expected or "WITH GRANT OPTION" in grant:
            raise DeploymentError(
                f"{made.host} already has a user {ACCOUNT} with a privilege that this command "
                f"doesn't give it: {right}. The user wasn't changed. Rename or drop it, and run "
                "this command again."
            )
    return True


def _set_password(
    owner: "Connection[Cursor]", made: Database, password: str, *, is_new: bool
) -> None:
    identified = f"{ACCOUNT} IDENTIFIED BY {owner.escape(password)}"
    if is_new:
        _run(owner, f"CREATE USER {identified} REQUIRE SSL")
    else:
        _run(owner, f"ALTER USER {identified} /*!80014 RETAIN CURRENT PASSWORD */ REQUIRE SSL")
    _run(owner, f"GRANT SELECT ON `{_pattern(made.name)}`.* TO {ACCOUNT}")


def _pattern(name: str) -> str:
    """Return the name for GRANT, in which an unescaped _ matches any character."""
    return name.replace("_", r"\_")


def _put(made: Database, login: Login) -> None:
    text = json.dumps({"username": login.user, "password": login.password.get_secret_value()})
    try:
        client = boto3.Session(region_name=made.region).client(
            "secretsmanager", config=client_config()
        )
        client.put_secret_value(SecretId=made.reader_secret, SecretString=text)
    except (ClientError, BotoCoreError) as error:
        raise DeploymentError(
            f"The new login couldn't be written to the secret {made.reader_secret}: "
            f"{advice(error, 'secretsmanager')}. Run this command again; it sets a new password."
        ) from None


def _run(owner: "Connection[Cursor]", sql: str) -> list[tuple[str, ...]]:
    with owner.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


if __name__ == "__main__":
    command.run(main)
