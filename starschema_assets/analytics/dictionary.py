"""Writes docs/data-dictionary.md from the contracts, the star's SQL and the queries (`make docs`).

A test compares the file with the generated text.
"""

from collections.abc import Iterator

from starschema_assets import command
from starschema_assets.analytics.query import questions
from starschema_assets.contract import Column, Contract
from starschema_assets.model import Model
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.settings import CHECKOUT
from starschema_assets.star.models import MODELS

FILE = CHECKOUT / "docs" / "data-dictionary.md"

_HEAD = """\
# Data dictionary

The tables that analysts find in the catalog. `make docs` generates this page from the contracts in
`starschema_assets/star/`, the SQL beside them and the queries. Don't edit it; change those instead.
Types have Athena's names. A column marked *personal* contains personal data.

A column marked *as spelled* contains text that people group by. The star removes leading and
trailing blanks and keeps the source's spelling. So `USA` and `usa` are two values here, although a
`group by` in MySQL may treat them as one, depending on the column's collation. The check
`one_spelling` of the raw table reports such values and their row counts. Fix them at the source, or
group by a normalized value: in lower case, and without accents if the collation ignores them.
"""
_GROUPED = {(contract.table, name) for contract in CONTRACTS for name in contract.grouped}


def dictionary() -> str:
    """Return the whole page."""
    return "\n".join(
        [
            _HEAD,
            *_diagram(),
            *(line for model in reversed(MODELS) for line in _table(model)),
            *_questions(),
        ]
    )


def _diagram() -> Iterator[str]:
    yield "```mermaid\nerDiagram"
    for contract in (model.contract for model in MODELS):
        for key in contract.foreign_keys:
            yield f'    {key.references} ||--o{{ {contract.table} : "{", ".join(key.columns)}"'
    for contract in (model.contract for model in MODELS):
        yield f"    {contract.table} {{"
        for column in contract.columns:
            type_ = column.type.replace(",", "_").replace("(", "_").replace(")", "")
            yield f"        {type_} {column.name}{_mark(contract, column)}"
        yield "    }"
    yield "```\n"


def _mark(contract: Contract, column: Column) -> str:
    marks = ["PK"] * (column.name in contract.key) + ["FK"] * bool(_reference(contract, column))
    return " " * bool(marks) + ", ".join(marks)


def _table(model: Model) -> Iterator[str]:
    contract = model.contract
    yield f"## {contract.table}\n"
    yield f"{contract.description}\n"
    yield f"- Grain: {contract.grain}"
    yield f"- Key: {', '.join(f'`{name}`' for name in contract.key)}"
    yield f"- File: `<lake>/{contract.name}/{contract.table}.parquet`\n"
    yield "| column | type | NULL | unit | description | from |"
    yield "|---|---|---|---|---|---|"
    for column in contract.columns:
        origins = model.column_lineage[column.name]
        says = column.description + _reference(contract, column) + " *Personal.*" * column.personal
        says += " *As spelled.*" * any(
            origin in _GROUPED and origin[1] == column.name for origin in origins
        )
        cells = (
            f"`{column.name}`",
            column.type,
            "yes" if column.nullable else "no",
            column.unit or "",
            says,
            ", ".join(f"`{t}.{c}`" for t, c in origins),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _reference(contract: Contract, column: Column) -> str:
    targets = [key.references for key in contract.foreign_keys if column.name in key.columns]
    return "".join(f" → [{target}](#{target})." for target in targets)


def _questions() -> Iterator[str]:
    yield "## Example queries\n"
    yield "`make query SQL=<name>` runs one of them, in Athena or in the embedded catalog.\n"
    for name, file in questions().items():
        yield f"### {name}\n"
        yield f"```sql\n{file.read_text(encoding='utf-8').rstrip()}\n```\n"


def main() -> None:
    """Write the page."""
    FILE.write_text(dictionary(), encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
