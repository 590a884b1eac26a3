"""Make or rotate the pipeline's user in the database that Terraform made, and put its login away.

`python -m starschema_assets.deployment.reader`, where Terraform ran, with the credentials of who
ran it. The user may SELECT from the one database, over TLS only. Its password is made here, goes to
the database and into the secret, and is shown nowhere. Run again, it gets a new one.
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
"""Of the password, which is these random bytes in letters, digits, hyphens and underscores."""


def main(arguments: list[str] | None = None) -> None:
    """Make or rotate the user."""
    parser = argparse.ArgumentParser("make reader", description=__doc__)
    parser.add_argument(
        "--through",
        metavar="INSTANCE",
        help="the EC2 instance through which a tunnel of Session Manager leads to the database "
        "(default: the machine that Terraform made)",
    )
    parser.add_argument(
        "--direct", action="store_true", help="no tunnel: this machine reaches the database"
    )
    options = parser.parse_args(arguments)
    made = database()
    through = None if options.direct else options.through or made.machine
    with access(made, through, Settings().source_ca) as way:
        is_new = make_reader(way)
    print(
        f"{USER} was {'made' if is_new else 'given a new password'}: it may SELECT from {made.name}"
        f" on {made.host}, over TLS only. Its login is in the secret {made.reader_secret}."
    )


def make_reader(way: Access) -> bool:
    """Whether the user is new. Raises DeploymentError, and changes no user with other rights.

    The secret gets the login once the database has taken it. On MySQL the password before is valid
    until then, so a refresh that is under way can sign in at any time.
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
    """Whether the user is there, with no other rights than those that it gets here."""
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
                f"{made.host} has a user {ACCOUNT} with another right ({right}): it is left as it "
                "is. Rename or drop it, and run again."
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
    """The name as GRANT takes it, where _ would stand for any character."""
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
            f"The secret {made.reader_secret} doesn't have the new login: "
            f"{advice(error, 'secretsmanager')}. Run again: each run makes a new password."
        ) from None


def _run(owner: "Connection[Cursor]", sql: str) -> list[tuple[str, ...]]:
    with owner.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


if __name__ == "__main__":
    command.run(main)
