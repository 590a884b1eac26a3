"""How every command ends: with a cause and a remedy; a stack trace goes to a file that is named."""

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
    """Run a command and exit: with what it returns, or with 1 and the cause as the last lines.

    A wrong setting ends every command, also one that doesn't need it.
    """
    try:
        Settings()
        status = main()
    except StarschemaError as error:
        sys.exit(told(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except Exception as error:  # noqa: BLE001 - whatever it is, the last line says it
        file = keep(traceback.format_exc())
        sys.exit(f"{cause_of(error)}\nThe stack trace is in {file}.")
    sys.exit(status)


def _end_while_loading(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Say what is wrong with the project's own files, which commands import before they run."""
    if isinstance(error, StarschemaError):
        sys.stderr.write(f"{told(error)}\n")
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _end_while_loading


def home() -> Path:
    """The folder of the Dagster instance: DAGSTER_HOME, or that of the checkout."""
    return Path(os.environ.get("DAGSTER_HOME") or CHECKOUT / ".dagster")


def keep(log: str) -> Path:
    """Write what is too long for a console to a file that only its owner may read."""
    folder = home()
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="starschema-"))
    file = folder / "last-failure.log"
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as kept:
        kept.write(log)
    return file


def cause_of(error: BaseException) -> str:
    """An error of somebody else's code in one line."""
    said = " ".join("".join(traceback.format_exception_only(error)).split())
    return said if len(said) <= CAUSE_CHARACTERS else f"{said[:CAUSE_CHARACTERS]} …"
