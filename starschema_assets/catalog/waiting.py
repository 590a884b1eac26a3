"""Waiting for a crawler, with a limit and with progress in the log."""

import time
from logging import Logger

from starschema_assets.catalog.catalog import CatalogError

POLL_SECONDS = 5.0
PROGRESS_SECONDS = 10.0


class Waiting:
    """The time that passes until a crawl has ended; it begins with this object."""

    def __init__(self, crawler: str, timeout: int, log: Logger) -> None:
        self._crawler = crawler
        self._timeout = timeout
        self._log = log
        self._began = time.monotonic()
        self._told = 0.0
        self._state = ""

    @property
    def seconds(self) -> float:
        """Seconds until now."""
        return time.monotonic() - self._began

    def pause(self, state: str) -> None:
        """Sleep until it is time to look again; `state` is what was seen.

        Raises CatalogError when the time is up.
        """
        left = self._timeout - self.seconds
        if left <= 0:
            raise CatalogError(
                f"The Glue crawler {self._crawler} has not finished a crawl within "
                f"{self._timeout} s; last seen: {state}. Look at it in the console, or raise "
                "STARSCHEMA_CRAWL_TIMEOUT; what it does is not undone, and the next crawl "
                "catches up."
            )
        if state != self._state or self.seconds - self._told >= PROGRESS_SECONDS:
            self._log.info("Glue crawler %s: %s, %.0f s", self._crawler, state, self.seconds)
            self._state, self._told = state, self.seconds
        time.sleep(min(POLL_SECONDS, left))
