"""Opens TLS connections to the database and verifies its certificate, also through a tunnel."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pymysql

from starschema_assets.deployment.outputs import Database, DeploymentError
from starschema_assets.deployment.tunnel import Dial, way_to
from starschema_assets.source.errors import LoginRefused
from starschema_assets.source.secret import Login, SourceSecret
from starschema_assets.source.tls import TLS

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

AUTHORITIES = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""RDS's certificate authorities, which operating systems don't include."""
TIMEOUT = 30
ACCESS_DENIED = 1045
_LOST = {2006, 2013}


class Access:
    """A route to the database, and the CA file that verifies its certificate."""

    def __init__(self, database: Database, dial: Dial, authority: Path) -> None:
        self.database = database
        self._dial = dial
        self._tls = TLS(verified=True, off=False, authority=authority).for_pymysql()

    def connect(self, login: Login, **options: Any) -> "Connection[Cursor]":
        """Connect over TLS. Raises LoginRefused or DeploymentError."""
        to = self.database
        connection = pymysql.connect(
            host=to.host,  # TLS checks the certificate against this name, even through a tunnel
            port=to.port,
            user=login.user,
            password=login.password.get_secret_value(),
            database=to.name,
            charset="utf8mb4",
            autocommit=True,
            defer_connect=True,
            **self._tls,
            **options,
        )
        try:
            connection.connect(self._dial())
        except pymysql.MySQLError as error:
            raise _refusal(error, to) from None
        return connection

    def as_owner(self, **options: Any) -> "Connection[Cursor]":
        """Connect with the owner's login, which RDS stores and rotates."""
        owner = SourceSecret(self.database.owner_secret)
        return owner.log_in(lambda login: self.connect(login, **options))


@contextmanager
def access(database: Database, through: str | None, authority: Path | None) -> Iterator[Access]:
    """Yield access within a `with` block. Downloads RDS's authorities if `authority` is None."""
    with tempfile.TemporaryDirectory() as folder:
        authority = authority or _downloaded(Path(folder))
        with way_to(database, through) as dial:
            yield Access(database, dial, authority)


@contextmanager
def owner(
    database: Database, through: str | None, authority: Path | None, **options: Any
) -> "Iterator[Connection[Cursor]]":
    """Yield a connection with the owner's login within a `with` block."""
    with (
        access(database, through, authority) as found,
        closing(found.as_owner(**options)) as connection,
    ):
        yield connection


def _refusal(error: pymysql.MySQLError, to: Database) -> Exception:
    code, said = error.args[0], str(error.args[-1])
    where = f"mysql://{to.host}:{to.port}/{to.name}"
    if code == ACCESS_DENIED:
        return LoginRefused(f"{where}: {said}. Check the login in the secret.")
    if "SSL" in said:
        return DeploymentError(
            f"{where}: {said}. The certificate must be issued for {to.host}, by an authority of "
            "RDS or of the file in STARSCHEMA_SOURCE_CA."
        )
    if code in _LOST:
        return DeploymentError(
            f"{where}: {said}. Check that the database is available, and that its security group "
            "allows the machine that connects to it."
        )
    return DeploymentError(f"{where}: {said}")


def _downloaded(folder: Path) -> Path:
    file = folder / "rds.pem"
    try:
        with urlopen(AUTHORITIES, timeout=TIMEOUT) as answer:
            file.write_bytes(answer.read())
    except OSError as error:
        raise DeploymentError(
            f"RDS's certificate authorities can't be downloaded from {AUTHORITIES}: {error}. "
            "Download them elsewhere and set STARSCHEMA_SOURCE_CA to the file."
        ) from None
    return file
