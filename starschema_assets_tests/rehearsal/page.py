"""docs/deploy.md: its commands, taken from the page and run in one shell, in a copy of the project.

`sh` blocks are run. The `text` block after one lists lines that it must print, in which `…` matches
any text. A word after `sh` marks blocks that run on the EC2 machine, or that can't run here.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.rehearsal.proofs import NotProven

PAGE = CHECKOUT / "docs" / "deploy.md"
KINDS = {"sh", "sh machine", "sh machine-session", "sh tunnel", "sh elsewhere"}
"""`sh` runs in the local shell, the others in a session on the machine or not at all."""
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", ".mysql", "data", "build", "dist", "*.egg-info", "__pycache__", ".*_cache"),
    *(".hypothesis", ".terraform", "*.tfvars", "*.auto.tfvars.json", "*.tfstate*", "plan"),
)
END = "— end of block —"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Block:
    """Commands of a section, and what they print."""

    section: str
    kind: str
    commands: str
    prints: tuple[str, ...] = ()


def blocks() -> list[Block]:
    """Return the blocks of the page, in order."""
    return list(_blocks(PAGE.read_text()))


def _blocks(page: str) -> Iterator[Block]:
    section, last = "", None
    for heading, kind, body in re.findall(r"(?ms)^#+ (.+?)$|^```(\S.*?)\n(.*?)^```$", page):
        if heading:
            section = heading
        elif kind == "text" and last:
            last = Block(last.section, last.kind, last.commands, tuple(body.splitlines()))
            continue
        elif kind.startswith("sh"):
            if last:
                yield last
            last = Block(section, kind, body)
            continue
        if last:
            yield last
            last = None
    if last:
        yield last


@dataclass
class Shell:
    """A shell in a copy of the project. It runs the sections of the page."""

    copy: Path
    environment: Mapping[str, str]
    said: list[str] = field(default_factory=list)
    """Everything that was printed."""
    ran: set[tuple[str, str]] = field(default_factory=set)
    """The section and kind of each block that was run."""

    def __post_init__(self) -> None:
        self._bash = subprocess.Popen(
            ["bash", "-euo", "pipefail"],
            cwd=self.copy,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self, section: str, kind: str = "sh", through: Sequence[str] = (), known_to_differ: str = ""
    ) -> None:
        """Run the blocks of a section. Raises NotProven if one fails, or lacks an expected line.

        `through` is a command that runs them elsewhere, e.g. on the machine. `known_to_differ` is
        an expected line that isn't checked, because the emulator prints another one.
        """
        self.ran.add((section, kind))
        found = [block for block in blocks() if (block.section, block.kind) == (section, kind)]
        if not found:
            raise NotProven(f"{PAGE.name} has no commands under {section!r}")
        for block in found:
            commands = block.commands
            if through:
                commands = shlex.join([*through, "bash", "-c", commands])
            said = self._say(commands)
            for line in block.prints:
                pattern = ".*".join(map(re.escape, line.split("…")))
                if line != known_to_differ and not re.search(pattern, "\n".join(said)):
                    shown = "\n".join(said[-60:])
                    raise NotProven(f"{line!r} wasn't printed by\n{block.commands}{shown}")

    def close(self) -> None:
        """End the shell."""
        self._bash.kill()
        self._bash.wait()

    def _say(self, commands: str) -> list[str]:
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f"{{\n{commands}\n}} </dev/null\nprintf '\\n%s\\n' '{END}'\n")
        self._bash.stdin.flush()
        said: list[str] = []
        for line in self._bash.stdout:
            if line.rstrip("\n") == END:
                return said
            said.append(COLOURS.sub("", line.rstrip("\n")))
            self.said.append(said[-1])
        raise NotProven("failed:\n" + commands + "\n".join(said[-60:]))


def copied(folder: Path) -> Path:
    """Copy the project without generated files, and link the installed environment."""
    shutil.copytree(CHECKOUT, folder, ignore=NOT_COPIED)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder
