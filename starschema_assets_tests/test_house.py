"""Tests that only some files contain names of the business's tables and columns."""

import re
from collections.abc import Iterator
from pathlib import Path

from starschema_assets.history import COLUMNS
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import CHECKOUT
from starschema_assets.star.models import MODELS

PACKAGE = CHECKOUT / "starschema_assets"
ROOMS = (
    "raw/contracts.py",
    *(f"star/{model.contract.table}.py" for model in MODELS),
    *(path.relative_to(PACKAGE).as_posix() for model in MODELS for path in model.paths),
    "sample/",
    "analytics/questions/",
    "analytics/charts/",
    "analytics/report/",
    "analytics/notebook.py",
    "analytics/widgets.py",
)
"""The files that a user with another business changes."""
PLAIN = {
    "comments": "of code",
    "country": "of a Java locale",
    "date": "the type",
    "day": "of a date",
    "email": "how an alert arrives",
    "extension": "of DuckDB",
    "phone": "a word that makes a column look personal",
    "quarter": "of a second",
    "state": "of a run, a crawler or a job",
    "status": "of a run",
    "year": "of a date",
}
"""Column names that are also common words, with their other meaning."""
NAMES = (
    {
        name
        for contract in [*CONTRACTS, *(model.contract for model in MODELS)]
        for name in (contract.table, *(column.name for column in contract.columns))
    }
    - PLAIN.keys()
    - {column.name for column in COLUMNS}
)


def machinery() -> Iterator[Path]:
    """Yield every Python and SQL file outside of ROOMS."""
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql")]):
        if not path.relative_to(PACKAGE).as_posix().startswith(ROOMS):
            yield path


def test_no_table_or_column_of_the_business_is_named() -> None:
    named = [
        f"{path.relative_to(PACKAGE)}, line {number}: {', '.join(sorted(found))}"
        for path in machinery()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := NAMES & set(re.findall(r"\w+", line)))
    ]
    assert named == []


def test_each_plain_word_is_a_column_that_the_machinery_uses() -> None:
    words = {word for path in machinery() for word in re.findall(r"\w+", path.read_text())}
    assert PLAIN.keys() - words == set()
