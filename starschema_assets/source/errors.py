"""What can go wrong at the source: one clear line each, never with the password."""

import re

from starschema_assets.errors import StarschemaError


class SourceError(StarschemaError):
    """Something that another run doesn't heal; the message says what does."""


class ConnectionLost(SourceError):  # noqa: N818 - says what happened
    """The connection is gone and the snapshot with it: worth another run, from the start."""


class Unreachable(SourceError):  # noqa: N818
    """Nobody answers at that host and port: worth another run only if somebody did just now."""


class LoginRefused(SourceError):  # noqa: N818
    """The user or the password is wrong, or was changed meanwhile."""


class TableMissing(SourceError):  # noqa: N818
    """None of the tables is there, or the user may read none of them."""


class RowsMissing(SourceError):  # noqa: N818
    """The rows that arrived aren't as many as the server counted in the same snapshot."""


class ValueRefused(SourceError):  # noqa: N818
    """A value or a type can't be held exactly; names table, column and a value."""


_LOST = re.compile(
    r"Failed to fetch result row|gone away|Lost connection|connection was killed"
    r"|shutdown in progress|execution was interrupted|table definition has changed"
    r"|INTERRUPT Error",  # DuckDB's, where it notices the failed fetch in another thread
    re.IGNORECASE,
)
_LOGIN = r"Access denied .*using password"
_UNREACHABLE = r"can't connect|unknown.* host|timed out"
_ADVICE = {
    r"\bSSL\b|\bTLS\b|certificate": "check that STARSCHEMA_SOURCE_CA is the CA of the server's "
    "certificate, and that the certificate is made out to the host in STARSCHEMA_SOURCE_URL",
    _LOGIN: "check user and password in STARSCHEMA_SOURCE_URL "
    "(characters such as @ / : % are URL-encoded there), or in STARSCHEMA_SOURCE_SECRET",
    r"Unknown database|to database": "check the database in STARSCHEMA_SOURCE_URL, "
    "and that the user may SELECT there",
    r"command denied": "grant the user SELECT on it",
    _UNREACHABLE: "check host and port in STARSCHEMA_SOURCE_URL, "
    "and that this machine may reach them",
}
_KINDS = {_LOGIN: LoginRefused, _UNREACHABLE: Unreachable}


def translated(error: Exception | str, where: str) -> SourceError:
    """What a driver says, as one line that says where it happened and what to do."""
    text = " ".join(str(error).split("\nLINE ")[0].split())
    text = re.sub(r'^IO Error: |with parameters "[^"]*": |\. Attempted host: .*', "", text)
    text = text.strip(" :")
    if _LOST.search(text):
        return ConnectionLost(f"{where}: the snapshot was lost ({text}); run again")
    for pattern, advice in _ADVICE.items():
        if re.search(pattern, text, re.IGNORECASE):
            kind = _KINDS.get(pattern, SourceError)
            return kind(f"{where}: {text}; {advice}")
    return SourceError(f"{where}: {text}")
