"""Detects columns that may contain personal data, by their names and types."""

import re

_WORDS_OF_PEOPLE = """
address alias birth birthdate birthday birthplace cellphone comment comments dob email fax feedback
firstname forename fullname iban ip lastname login mail memo message mobile nickname note notes
passport password phone photo picture portrait remark remarks signature ssn street surname tel
telephone username zipcode
"""
_PEOPLE = """
actor applicant author client contact customer driver employee first full given guest last maiden
manager member middle nick owner participant passenger patient payer person player resident staff
student subscriber teacher tenant user visitor worker
"""
"""A column `…name` is personal if one of these words precedes `name`, or is the table's name."""
_FREE_TEXT = re.compile(r"(tiny|medium|long)?text\b")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def looks_personal(table: str, column: str, declared: str) -> bool:
    """Return whether the name or the type of a column suggests personal data.

    `declared` is its type at the source. Free text may contain anything, so it counts as personal,
    except in a column whose name contains `description`.
    """
    words = _words(column)
    if words[-1:] == ["id"]:
        return False
    if words[-1:] == ["name"]:
        of = words[:-1] or [word.removesuffix("s") for word in _words(table)]
        return not {*_PEOPLE.split()}.isdisjoint(of)
    is_free_text = bool(_FREE_TEXT.match(declared)) and "description" not in words
    return is_free_text or not {*_WORDS_OF_PEOPLE.split()}.isdisjoint(words)


def _words(name: str) -> list[str]:
    """Return the words of a name in snake_case or camelCase."""
    return [word.lower() for word in _WORD.findall(name)]
