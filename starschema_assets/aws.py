"""What all clients of AWS share: retries, names of errors, and advice about a refusal.

Credentials, region and endpoint come from AWS's default chain, AWS_ENDPOINT_URL among it.
"""

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ATTEMPTS = 8
"""With botocore's back-off of up to 20 s: outlives a minute of throttling. In a longer one the run
ends: all requests of a client share botocore's quota of retries."""

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
    """How a client waits: it tries again when it is throttled or the connection fails.

    `timeout` is in seconds without a byte.
    """
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts or ATTEMPTS},
        connect_timeout=min(timeout, 10),
        read_timeout=timeout,
    )


def code_of(error: ClientError) -> str:
    """The service's name of the error, e.g. `NoSuchKey`; an answer to HEAD has only its status."""
    return error.response.get("Error", {}).get("Code", "unknown")


def message_of(error: ClientError) -> str:
    """The service's own words."""
    return error.response.get("Error", {}).get("Message", str(error))


def advice(error: ClientError | BotoCoreError, service: str) -> str:
    """What a refusal or a failed connection means, and what to do; `service` is e.g. `glue`."""
    if isinstance(error, BotoCoreError):
        return f"AWS can't be reached or signed for: {error}"
    code, operation, message = code_of(error), error.operation_name, message_of(error)
    if code in _DENIED:
        return f"allow {service}:{operation} to these credentials: {message}"
    if code in _NO_CREDENTIALS:
        return f"AWS doesn't accept these credentials ({code}); renew them: {message}"
    if code in _THROTTLED:
        return (
            f"{service}:{operation} was throttled {ATTEMPTS} times; try again when less is going "
            f"on in this account, or ask AWS for a higher quota: {message}"
        )
    return f"{service}:{operation} answers {code}: {message}"
