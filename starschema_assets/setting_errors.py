"""Error messages for settings: the variable's name, and what is allowed."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from starschema_assets.errors import StarschemaError

PREFIX = "STARSCHEMA_"
OF_THE_TESTS = "STARSCHEMA_TEST_"

_NUMBERS = {int: "a whole number", float: "a number"}


class SettingsError(StarschemaError):
    """A variable is no setting, or its value can't be used; one line for each."""


def unknown_variables(environment: Mapping[str, str], fields: Collection[str]) -> list[str]:
    """A line for each variable that looks like a setting and isn't one."""
    settings = [f"{PREFIX}{name.upper()}" for name in fields]
    return [
        f"{variable} isn't a setting{_meant(variable, fields)}"
        for variable, value in sorted(environment.items())
        if _looks_like_one(variable.upper(), settings)
        and not variable.startswith(OF_THE_TESTS)
        and variable.upper() not in settings
        and value  # an empty one is as good as not set
    ]


def _looks_like_one(variable: str, settings: Collection[str]) -> bool:
    """Also one whose prefix is misspelled."""
    return variable.startswith(PREFIX) or bool(get_close_matches(variable, settings, 1, 0.9))


def lines_of(error: ValidationError, fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """A line for each error of pydantic's."""
    for each in error.errors(include_url=False, include_input=False):
        # An error of this project says itself what is allowed
        said = str(each["ctx"]["error"]) if each["type"] == "value_error" else None
        if not each["loc"]:
            yield said or each["msg"]
            continue
        name = _name_of(str(each["loc"][0]))
        allowed = f"must be {_allowed(fields[name])}" if name in fields else each["msg"]
        yield f"{PREFIX}{name.upper()} {said or allowed}"


def _name_of(variable: str) -> str:
    return variable.upper().removeprefix(PREFIX).lower()


def _meant(variable: str, fields: Collection[str]) -> str:
    near = get_close_matches(variable.partition("_")[2].lower(), fields, n=1)
    return f"; did you mean {PREFIX}{near[0].upper()}?" if near else ": README.md lists them all"


def _allowed(field: FieldInfo) -> str:
    type_ = next(
        (part for part in get_args(field.annotation) if part in _NUMBERS), field.annotation
    )
    if get_origin(type_) is Literal:
        *others, last = get_args(type_)
        return f"{', '.join(others)} or {last}"
    if type_ not in _NUMBERS:
        return "true or false" if type_ is bool else "a text"
    bounds: dict[str, Any] = {}
    for bound in field.metadata:
        bounds |= {name: getattr(bound, name) for name in ("ge", "le") if hasattr(bound, name)}
    if "le" in bounds:
        return f"{_NUMBERS[type_]} from {bounds['ge']} to {bounds['le']}"
    return f"{_NUMBERS[type_]}, {bounds['ge']} or more"


def kind_of(address: str) -> str | None:
    """What marks an address that is no path of this machine, e.g. `gs:`; None if it is a path."""
    kind = re.match(r"\s*(?:[A-Za-z][\w+.-]*:|(?:s3|gs)//)", address)
    return kind[0] if kind else None
