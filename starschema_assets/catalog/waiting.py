"""Waits for a crawler with a timeout, and logs the progress."""

import time
from logging import Logger

from starschema_assets.catalog.catalog import CatalogError

POLL_SECONDS = 5.0
PROGRESS_SECONDS = 10.0


class Waiting:
    """Time spent waiting for a crawl, measured from the creation of this object."""

    def __init__(self, crawler: str, timeout: int, log: Logger) -> None:
        self._crawler = crawler
        self._timeout = timeout
        self._log = log
        self._started = time.monotonic()
        self._logged = 0.0
        self._state = ""

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def pause(self, state: str) -> None:
        """Sleep until the next poll. `state` is the crawler's state as last seen.

        Raises CatalogError at the timeout.
        """
        left = self._timeout - self.seconds
        if left <= 0:
            raise CatalogError(
                f"The Glue crawler {self._crawler} has not finished a crawl within "
                f"{self._timeout} s; last seen: {state}. Check it in the AWS console, or increase "
                "STARSCHEMA_CRAWL_TIMEOUT. The crawl isn't stopped, and the next crawl updates "
                "all tables."
            )
        if state != self._state or self.seconds - self._logged >= PROGRESS_SECONDS:
            self._log.info("Glue crawler %s: %s, %.0f s", self._crawler, state, self.seconds)
            self._state, self._logged = state, self.seconds
        time.sleep(min(POLL_SECONDS, left))
