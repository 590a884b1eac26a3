"""Runs commands. Errors end with a cause and a remedy; stack traces are written to a file."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from starschema_assets.errors import StarschemaError, told
from starschema_assets.settings import CHECKOUT, Settings

CAUSE_CHARACTERS = 500


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a command and exit with its status, or print the cause of an error and exit with 1.

    An invalid setting ends every command, even one that doesn't use the setting.
    """
    try:
        Settings()
        status = main()
    except StarschemaError as error:
        sys.exit(told(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except Exception as error:  # noqa: BLE001 - the cause is printed
        file = keep(traceback.format_exc())
        sys.exit(f"{cause_of(error)}\nThe stack trace is in {file}.")
    sys.exit(status)


def _end_while_loading(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an error of this project that is raised while a command's modules are imported."""
    if isinstance(error, StarschemaError):
        sys.stderr.write(f"{told(error)}\n")
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _end_while_loading


def home() -> Path:
    """Return the folder of the Dagster instance: DAGSTER_HOME, or `.dagster` in the checkout."""
    return Path(os.environ.get("DAGSTER_HOME") or CHECKOUT / ".dagster")


def keep(log: str) -> Path:
    """Write a log that is too long for the console to a file that only its owner can read."""
    folder = home()
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="starschema-"))
    file = folder / "last-failure.log"
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as kept:
        kept.write(log)
    return file


def cause_of(error: BaseException) -> str:
    """Return an unexpected error in one line."""
    cause = " ".join("".join(traceback.format_exception_only(error)).split())
    return cause if len(cause) <= CAUSE_CHARACTERS else f"{cause[:CAUSE_CHARACTERS]} …"
