"""Generates the sample database as a DuckDB file: equal seeds and scales give equal rows."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import duckdb
from filelock import FileLock

from starschema_assets.sample.images import product_line_image
from starschema_assets.settings import SAMPLE_DATABASE

HERE = Path(__file__).parent
STEPS = (
    "functions",
    "places",
    "words",
    "offices",
    "products",
    "customers",
    "orders",
    "orderdetails",
    "payments",
)
WITHOUT_IMAGE = ("Ships", "Trains")
SCALE = 1
SEED = 1


class Label(TypedDict):
    """What decides a file's content: kept in it as the comment of the table `orders`."""

    scale: int
    seed: int
    code: str


def ensure_sample(
    path: Path = SAMPLE_DATABASE, scale: int | None = None, seed: int | None = None
) -> bool:
    """Generate the file unless this code made it with that scale and seed; True if it did.

    What isn't given stays as it is in the file that is there.
    """
    found = _label_of(path)
    wanted = Label(
        scale=scale or (found["scale"] if found else SCALE),
        seed=(found["seed"] if found else SEED) if seed is None else seed,
        code=code_digest(),
    )
    if found == wanted:
        return False
    days = days_ahead(path)
    generate(path, wanted["scale"], wanted["seed"])
    if days:  # its clock is never set back: a history refuses an older snapshot
        next_day(path, days)
    return True


def next_day(path: Path = SAMPLE_DATABASE, day: int | None = None) -> tuple[int, int, int]:
    """Move the file's clock a day on, and some customers and prices with it.

    Returns how many days it is ahead, how many customers moved, and how many prices changed. `day`
    counts the days, where it isn't the next one.
    """
    day = day or days_ahead(path) + 1
    with (
        _replacement(path) as unfinished,
        duckdb.connect(shutil.copy(path, unfinished)) as connection,
    ):
        connection.execute(f"SET VARIABLE day = {day}")
        connection.execute((HERE / "next_day.sql").read_text(encoding="utf-8"))
        ((moves, raises),) = connection.execute(
            "SELECT (SELECT count(*) FROM moves), (SELECT count(*) FROM raises)"
        ).fetchall()
    return day, moves, raises


def days_ahead(path: Path) -> int:
    """How many days the file's clock is ahead of this machine's."""
    with contextlib.suppress(duckdb.Error), duckdb.connect(path, read_only=True) as connection:
        ((days,),) = connection.execute("SELECT days FROM _clock").fetchall()
        return int(days)
    return 0


def generate(path: Path, scale: int = SCALE, seed: int = SEED, *, keys: bool = True) -> None:
    """Write the file, replacing an earlier one in one step.

    `scale` 1 has 326 orders with about 3,000 order lines; customers, orders, order lines and
    payments grow with it. Without `keys` the tables declare no primary keys: DuckDB keeps their
    indexes in memory, about 120 bytes an order line, and the rest within 512 MB.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacement(path) as unfinished, duckdb.connect(unfinished) as connection:
        if not keys:
            connection.execute("SET memory_limit = '512MB'")
        _fill(connection, scale, seed, keys=keys)


@contextlib.contextmanager
def _replacement(path: Path) -> Iterator[Path]:
    """A file that takes the place of another one in one step, when the block has ended well."""
    workshop = path.with_name(f".{path.name}.unfinished")
    with FileLock(path.with_name(f".{path.name}.lock")):
        shutil.rmtree(workshop, ignore_errors=True)  # of a run that was killed
        workshop.mkdir()
        yield workshop / path.name
        (workshop / path.name).replace(path)
        shutil.rmtree(workshop)


def _fill(connection: duckdb.DuckDBPyConnection, scale: int, seed: int, *, keys: bool) -> None:
    # Here, since a look at a file that is up to date shall not wait for sqlglot.
    from starschema_assets.sample.schema import duckdb_tables  # noqa: PLC0415

    for statement in duckdb_tables(keys=keys):
        connection.execute(statement)
    connection.execute(f"SET VARIABLE scale = {scale}::BIGINT; SET VARIABLE seed = {seed}::BIGINT")
    for step in STEPS:
        connection.execute((HERE / f"{step}.sql").read_text(encoding="utf-8"))
    _add_images(connection)
    label = json.dumps(Label(scale=scale, seed=seed, code=code_digest()))
    connection.execute(f"COMMENT ON TABLE orders IS '{label}'")


def _add_images(connection: duckdb.DuckDBPyConnection) -> None:
    lines = connection.execute("SELECT productLine FROM productlines ORDER BY productLine")
    for number, (line,) in enumerate(lines.fetchall()):
        if line not in WITHOUT_IMAGE:
            connection.execute(
                "UPDATE productlines SET image = ? WHERE productLine = ?",
                [product_line_image(number), line],
            )


def code_digest() -> str:
    """A digest of this folder's code, so that a changed generator makes a new file."""
    digest = hashlib.sha256()
    for source in sorted([*HERE.glob("*.py"), *HERE.glob("*.sql")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _label_of(path: Path) -> Label | None:
    """The label of an existing file; None if there is none, or if it isn't a sample database."""
    if not path.exists():
        return None
    with contextlib.suppress(duckdb.Error), duckdb.connect(path, read_only=True) as connection:
        found = connection.execute(
            "SELECT comment FROM duckdb_tables() "
            "WHERE table_name = 'orders' AND comment IS NOT NULL"
        ).fetchone()
        if found:
            label: Label = json.loads(found[0])
            return label
    return None
