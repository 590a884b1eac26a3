"""Measures the memory of a refresh if a table has large TEXT and BLOB values."""

from collections.abc import Iterator

from benchmarks.answers import truth
from benchmarks.contenders import REFRESH
from benchmarks.rounds import Run, play, workshop
from benchmarks.source import DATABASE, OPTIONS, Source, fill, reader_url
from starschema_assets_tests.mariadb import MariaDB

ROWS = 2_000
VALUE_BYTES = 256 * 2**10
"""Size of each TEXT and each BLOB; together they are 1 GB."""

WIDE_ROWS = f"""
    insert into productlines (productLine, textDescription, htmlDescription, image)
    select concat('Wide ', seq), 'wide', repeat(md5(seq), {VALUE_BYTES // 32}),
        repeat(unhex(md5(-seq)), {VALUE_BYTES // 16})
    from seq_1_to_{ROWS}
"""


def play_wide(timeout: float) -> Iterator[Run]:
    """Refresh the sample once, with wide rows in one of its tables."""
    with workshop() as folder, MariaDB(datadir=folder / "data", **OPTIONS["mariadb"]) as server:
        fill(server, scale=1)
        server.execute(WIDE_ROWS, DATABASE)
        source = Source(server, DATABASE, reader_url(server), folder)
        yield from play([REFRESH], source, truth(source), 1, timeout)
