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
    """Inputs that determine a file's content, stored as the comment of its table `orders`."""

    scale: int
    seed: int
    code: str


def ensure_sample(
    path: Path = SAMPLE_DATABASE, scale: int | None = None, seed: int | None = None
) -> bool:
    """Generate the file, unless it is up to date, and return whether it was generated.

    A file is up to date if the same code generated it with the same scale and seed. The existing
    file provides a missing scale or seed.
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
    if days:  # never set its clock back: a history rejects an older snapshot
        next_day(path, days)
    return True


def next_day(path: Path = SAMPLE_DATABASE, day: int | None = None) -> tuple[int, int, int]:
    """Advance the file's clock by a day, and change some customers and prices.

    Returns the number of days that the clock is ahead, of moved customers and of changed prices.
    `day` is the number of the day, by default the next one.
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
    """Return the number of days that the file's clock is ahead of this machine's."""
    with contextlib.suppress(duckdb.Error), duckdb.connect(path, read_only=True) as connection:
        ((days,),) = connection.execute("SELECT days FROM _clock").fetchall()
        return int(days)
    return 0


def generate(path: Path, scale: int = SCALE, seed: int = SEED, *, keys: bool = True) -> None:
    """Write the file; an existing file is replaced atomically.

    `scale` 1 has 326 orders with about 3,000 order lines; customers, orders, order lines and
    payments grow with the scale. Without `keys` the tables have no primary keys and DuckDB is
    limited to 512 MB. With keys, their indexes need about 120 bytes of memory per order line.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacement(path) as unfinished, duckdb.connect(unfinished) as connection:
        if not keys:
            connection.execute("SET memory_limit = '512MB'")
        _fill(connection, scale, seed, keys=keys)


@contextlib.contextmanager
def _replacement(path: Path) -> Iterator[Path]:
    """Yield a temporary file, which replaces `path` atomically if the block succeeds."""
    workshop = path.with_name(f".{path.name}.unfinished")
    with FileLock(path.with_name(f".{path.name}.lock")):
        shutil.rmtree(workshop, ignore_errors=True)  # of a run that was killed
        workshop.mkdir()
        yield workshop / path.name
        (workshop / path.name).replace(path)
        shutil.rmtree(workshop)


def _fill(connection: duckdb.DuckDBPyConnection, scale: int, seed: int, *, keys: bool) -> None:
    # Imported here, because the check of an up-to-date file doesn't need sqlglot.
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
    """Return a digest of this folder's code, so that a changed generator writes a new file."""
    digest = hashlib.sha256()
    for source in sorted([*HERE.glob("*.py"), *HERE.glob("*.sql")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _label_of(path: Path) -> Label | None:
    """Return the label of the file; None if it doesn't exist or isn't a sample database."""
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
