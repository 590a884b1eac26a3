"""Shared by all AWS clients: retries, error codes, and advice on errors.

Credentials, region and endpoint come from AWS's default chain, including AWS_ENDPOINT_URL.
"""

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ATTEMPTS = 8
"""With botocore's back-off of up to 20 s, enough for a minute of throttling. If it lasts longer,
the run fails, because all requests of a client share botocore's retry quota."""

_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_NO_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


def client_config(*, attempts: int | None = None, timeout: int = 60) -> Config:
    """Return a config with retries for throttling and connection errors.

    `timeout` is the number of seconds without received data.
    """
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts or ATTEMPTS},
        connect_timeout=min(timeout, 10),
        read_timeout=timeout,
    )


def code_of(error: ClientError) -> str:
    """Return the error code, e.g. `NoSuchKey`. For a HEAD request it is the HTTP status."""
    return error.response.get("Error", {}).get("Code", "unknown")


def message_of(error: ClientError) -> str:
    """Return the service's error message."""
    return error.response.get("Error", {}).get("Message", str(error))


def advice(error: ClientError | BotoCoreError, service: str) -> str:
    """Return what an error means and what to do. `service` is e.g. `glue`."""
    if isinstance(error, BotoCoreError):
        return f"AWS can't be reached, or credentials or region are missing: {error}"
    code, operation, message = code_of(error), error.operation_name, message_of(error)
    if code in _DENIED:
        return f"allow {service}:{operation} to these credentials: {message}"
    if code in _NO_CREDENTIALS:
        return f"AWS doesn't accept these credentials ({code}); renew them: {message}"
    if code in _THROTTLED:
        return (
            f"{service}:{operation} was throttled {ATTEMPTS} times; try again when this account "
            f"makes fewer requests, or request a higher quota from AWS: {message}"
        )
    return f"{service}:{operation} returned {code}: {message}"
