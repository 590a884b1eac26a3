"""Runs a query in Athena with the Glue catalog, or else in the embedded catalog (`make query`).

The argument of `python -m starschema_assets.analytics.query` is SQL, `@file.sql`, or the name of a
file in the folder `questions`.
"""

import argparse
import time
from pathlib import Path

import duckdb
from pyarrow.types import is_string as is_text
from tabulate import tabulate

from starschema_assets import command
from starschema_assets.analytics.answer import Answer, QueryError
from starschema_assets.catalog import embedded
from starschema_assets.catalog.catalog import CatalogError
from starschema_assets.errors import did_you_mean
from starschema_assets.settings import Settings

QUESTIONS = Path(__file__).parent / "questions"
SHOWN_ROWS = 1000
"""Maximum number of rows that are printed."""


def query(sql: str, settings: Settings) -> Answer:
    """Run a query that names the star's tables without a schema. Raises QueryError."""
    if settings.glue_database:
        # Imported here: the import takes half a second, and the embedded catalog doesn't need it.
        from starschema_assets.analytics import athena  # noqa: PLC0415

        return athena.query(sql, settings)
    return _query_embedded(sql, settings)


def questions() -> dict[str, Path]:
    """Return the files of the project's queries by name."""
    return {path.stem: path for path in sorted(QUESTIONS.glob("*.sql"))}


def read(argument: str) -> str:
    """Return the SQL of an argument: SQL itself, @file, or a name. Raises QueryError."""
    known = questions()
    if argument.startswith("@"):
        try:
            return Path(argument[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise QueryError(f"{argument[1:]} can't be read: {error}") from error
    if argument in known:
        return known[argument].read_text(encoding="utf-8")
    if argument.isidentifier() or not argument.strip():
        raise QueryError(
            f"{argument!r} is neither SQL nor the name of a query: give SQL, @file or a name; "
            f"there are: {', '.join(known) or 'none yet'}{did_you_mean(argument, known)}"
        )
    return argument


def _query_embedded(sql: str, settings: Settings) -> Answer:
    try:
        with embedded.connect(settings) as connection:
            start = time.perf_counter()
            table = connection.execute(sql).to_arrow_table()
            return Answer(table, seconds=time.perf_counter() - start)
    except CatalogError as error:
        raise QueryError(str(error)) from error
    except duckdb.Error as error:
        said, line, place = str(error).partition("\nLINE ")
        where = f"{line.strip()} {place}\n" if place else ""
        cause = " ".join(said.split())
        raise QueryError(f"{where}The query on {settings.catalog} failed: {cause}") from error


def show(answer: Answer) -> None:
    """Print the rows as a table, and a line with row count, time and cost."""
    shown = answer.table.slice(length=SHOWN_ROWS)
    print(
        tabulate(
            zip(*(column.to_pylist() for column in shown.columns), strict=True),
            headers=shown.column_names,
            tablefmt="rounded_outline",
            missingval="NULL",
            disable_numparse=True,
            colalign=["left" if is_text(type_) else "right" for type_ in shown.schema.types],
        )
    )
    print(_summary(answer))


def _summary(answer: Answer) -> str:
    rows = answer.table.num_rows
    counted = "1 row" if rows == 1 else f"{rows} rows"
    if rows > SHOWN_ROWS:
        counted += f" (showing the first {SHOWN_ROWS})"
    parts = [counted, f"{answer.seconds:.2f} s"]
    if answer.scanned is not None:
        parts += [f"{answer.scanned:,} bytes scanned", f"{answer.cost:.6f} USD"]
    return ", ".join(parts)


def main() -> None:
    """Run the query and print its result."""
    parser = argparse.ArgumentParser(
        prog="python -m starschema_assets.analytics.query",
        description="Run a query in Athena, or in the embedded catalog if "
        "STARSCHEMA_GLUE_DATABASE isn't set.",
    )
    parser.add_argument(
        "question", help=f"SQL, @file with SQL, or one of: {', '.join(questions())}"
    )
    show(query(read(parser.parse_args().question), Settings()))


if __name__ == "__main__":
    command.run(main)
