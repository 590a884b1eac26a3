"""Errors of the source. Each message is one line and never contains the password."""

import re

from starschema_assets.errors import StarschemaError


class SourceError(StarschemaError):
    """An error that a retry doesn't fix; the message says what to do."""


class ConnectionLost(SourceError):  # noqa: N818 - named after the event
    """The connection was lost, and the snapshot with it. A retry from the start may succeed."""


class Unreachable(SourceError):  # noqa: N818
    """No server responds at host and port. A retry makes sense only if it responded just before."""


class LoginRefused(SourceError):  # noqa: N818
    """User or password is wrong, or was changed meanwhile."""


class TableMissing(SourceError):  # noqa: N818
    """None of the tables exists, or the user may read none of them."""


class RowsMissing(SourceError):  # noqa: N818
    """The number of rows read differs from the server's count in the same snapshot."""


class ValueRefused(SourceError):  # noqa: N818
    """A value or type can't be stored exactly; the message names table, column and a value."""


_LOST = re.compile(
    r"Failed to fetch result row|gone away|Lost connection|connection was killed"
    r"|shutdown in progress|execution was interrupted|table definition has changed"
    r"|unexpected eof while reading|Broken pipe"  # the server's end, under TLS
    r"|INTERRUPT Error",  # DuckDB's, if another thread notices the failed fetch
    re.IGNORECASE,
)
_LIMITS = {
    r"exceeded the 'max_questions' resource": "MAX_QUERIES_PER_HOUR",
    r"exceeded the '(max_(?!user_connections)\w+)' resource": "",
    r"maximum statement execution time exceeded": "max_execution_time",
    r"Connection memory limit": "connection_memory_limit",
    r"(max_statement_time) exceeded|more than (MAX_JOIN_SIZE) rows": "",
    r"--(max-session-mem-used)\S* option": "",
}
"""Messages about limits, with the name of the limit if the message doesn't contain it."""
_LOGIN = r"Access denied .*using password"
_UNREACHABLE = r"can't connect|unknown.* host|timed out"
_ADVICE = {
    "insecure transport": "set STARSCHEMA_SOURCE_TLS to auto or verify",
    r"\bSSL\b|\bTLS\b|certificate": "check that STARSCHEMA_SOURCE_CA is the CA of the server's "
    "certificate, and that the certificate is issued for the host in STARSCHEMA_SOURCE_URL",
    _LOGIN: "check user and password in STARSCHEMA_SOURCE_URL "
    "(URL-encode characters such as @ / : % there), or in STARSCHEMA_SOURCE_SECRET",
    r"Unknown database|to database": "check the database in STARSCHEMA_SOURCE_URL, "
    "and that the user may SELECT there",
    r"command denied": "grant the user SELECT on it",
    r"max_user_connections|Too many connections": "run again when other connections have ended",
    r"Lock wait timeout": "run again when the session that holds the lock, such as an ALTER "
    "TABLE, has ended",
    _UNREACHABLE: "check host and port in STARSCHEMA_SOURCE_URL, "
    "and that this machine can reach them",
}
_KINDS = {_LOGIN: LoginRefused, _UNREACHABLE: Unreachable}


def translated(error: Exception | str, where: str) -> SourceError:
    """Return a driver's message as an error of one line that says where and what to do."""
    text = " ".join(str(error).split("\nLINE ")[0].split())
    text = re.sub(r'^IO Error: |with parameters "[^"]*": |\. Attempted host: .*', "", text)
    text = text.strip(" :")
    if variable := _limit(text):
        return SourceError(
            f"{where}: {text}; a retry would reach the same limit: ask the administrator of the "
            f"server to lift {variable} for this user"
        )
    if _LOST.search(text):
        return ConnectionLost(f"{where}: the snapshot was lost ({text}); run again")
    for pattern, advice in _ADVICE.items():
        if re.search(pattern, text, re.IGNORECASE):
            kind = _KINDS.get(pattern, SourceError)
            return kind(f"{where}: {text}; {advice}")
    return SourceError(f"{where}: {text}")


def _limit(text: str) -> str | None:
    """Return the name of the limit that a message is about, or None."""
    for pattern, variable in _LIMITS.items():
        if match := re.search(pattern, text, re.IGNORECASE):
            return variable or next(filter(None, match.groups()))
    return None
