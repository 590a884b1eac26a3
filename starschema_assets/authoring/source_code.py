"""Generates the Python code of contracts, formatted by ruff."""

import ast
import difflib
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path

from starschema_assets.contract import Column, Contract, ForeignKey, Reconciliation
from starschema_assets.errors import StarschemaError

TEXT_WIDTH = 80
"""Maximum length of a string on one line."""
_NAMED = (Contract, Reconciliation)
"""Classes whose arguments are all written as keywords."""


def code_of(value: object) -> str:
    """Return the expression that creates a contract or a part of one."""
    if isinstance(value, tuple):
        items = [code_of(item) for item in value]
        one_each = len(items) == 1 or any(isinstance(item, Column) for item in value)
        return f"({', '.join(items)}{',' * one_each})"
    if isinstance(value, str):
        *lines, last = textwrap.wrap(value, TEXT_WIDTH, break_long_words=False) or [""]
        return " ".join(map(repr, [*(f"{line} " for line in lines), last]))
    if not is_dataclass(value):
        return repr(value)
    arguments = [
        f"{field.name}={code_of(given)}" if _is_named(value, field) else code_of(given)
        for field in fields(value)
        if (given := getattr(value, field.name)) != field.default
    ]
    comma = "," * isinstance(value, _NAMED)
    return f"{type(value).__name__}({', '.join(arguments)}{comma})"


def _is_named(value: object, field: "Field[object]") -> bool:
    return isinstance(value, _NAMED) or field.default is not MISSING


def shown(key: ForeignKey) -> str:
    """Return the code of a foreign key, for messages."""
    return formatted(code_of(key)).strip()


def with_constants(code: str, values: Mapping[str, str]) -> str:
    """Return the code with these values of constants and otherwise unchanged.

    `code` must have the last constant of `values`: new ones are inserted before it. Constants with
    an empty value are removed.
    """
    lines = code.splitlines()
    places = {
        statement.targets[0].id: (statement.lineno - 1, statement.end_lineno)
        for statement in ast.parse(code).body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    written = {name: f"{name} = {value}" if value else "" for name, value in values.items()}
    new = [text for name, text in written.items() if name not in places]
    last = next(reversed(written))
    written[last] = "\n\n".join([*new, written[last]])
    for name, (start, end) in sorted(places.items(), key=lambda item: item[1], reverse=True):
        if name in written:
            lines[start:end] = [written[name]]
    return "\n".join(lines) + "\n"


def formatted(code: str) -> str:
    """Return the code formatted by ruff. Raises StarschemaError."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "contracts.py", "-"]
    done = subprocess.run(  # noqa: S603 - ruff, and the code goes in as text
        command, input=code, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StarschemaError(f"ruff can't format the contracts: {done.stderr.strip()}")
    return done.stdout


def difference(before: str, after: str, name: str) -> str:
    """Return the changes of a file as a unified diff; empty if nothing changes."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, f"{name}, proposed", lineterm=""
    )
    return "\n".join(lines)


def take_over(file: Path, name: str, after: str, *, write: bool) -> None:
    """Write a file if `write` is set or the file is new. Otherwise print the changes."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before == after:
        print(f"{name} is up to date.")
    elif write or not before:
        file.write_text(after, encoding="utf-8")
        print(f"{name} was written.")
    else:
        print(difference(before, after, name))
        print('Nothing was written. To write these changes, use ARGS="--write".')
