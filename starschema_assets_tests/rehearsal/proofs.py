"""What a rehearsal has proven, printed as it goes and as a table at its end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}


class NotProven(Exception):  # noqa: N818 - reads as what happened
    """What was seen instead."""


def expect(seen: object, expected: object) -> None:
    """Raise NotProven if it is something else."""
    if seen != expected:
        raise NotProven(f"expected {expected}\nbut saw {seen}")


@dataclass(frozen=True)
class Attempt:
    """Something to try, and what it is called in the table."""

    what: str
    do: Callable[[], Any]


@dataclass
class Proofs:
    """One line a proof: its title, its seconds, and what went wrong, if anything did."""

    lines: list[tuple[str, float, str | None]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many proofs failed."""
        return sum(1 for _, _, fault in self.lines if fault)

    @contextmanager
    def of(self, title: str, *, needed: bool = False) -> Iterator[None]:
        """Prove by what happens inside; a `needed` proof that fails ends the rehearsal."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            self._add(title, began, str(error) or type(error).__name__)
            if needed:
                raise
        else:
            self._add(title, began, None)

    def one_not_the_other(self, who: str, allowed: Attempt, refused: Attempt) -> None:
        """Prove that `who` may do the first and is denied the second."""
        with self.of(f"{who} may {allowed.what}, and may not {refused.what}"):
            allowed.do()
            try:
                refused.do()
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code not in DENIED:
                    raise
            else:
                raise NotProven(f"was not refused: {refused.what}")

    def add_failure(self, error: Exception) -> None:
        """Add what ended the rehearsal, unless a proof has it already."""
        if not self.failed:
            self._add("the rehearsal itself", time.monotonic(), f"{type(error).__name__}: {error}")

    def table(self) -> str:
        """A line a proof."""
        return "\n".join(
            f"  {'FAILED' if fault else 'proven'}  {title}" for title, _, fault in self.lines
        )

    def _add(self, title: str, began: float, fault: str | None) -> None:
        seconds = time.monotonic() - began
        self.lines.append((title, seconds, fault))
        print(f"  {'FAILED' if fault else 'ok':6} {seconds:6.1f} s  {title}", flush=True)
        if fault:
            print("\n".join(f"         {line}" for line in fault.splitlines()), flush=True)
