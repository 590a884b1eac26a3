"""Provides the database that all contenders read, loaded once per server and number of lines."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from starschema_assets.lake.scratch import Scratch, sweep
from starschema_assets.sample.generate import SEED, code_digest
from starschema_assets.sample.mysql import load
from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.database_server import DatabaseServer
from starschema_assets_tests.servers import server_of

DATA = CHECKOUT / "data" / "bench"
DATABASE = "classicmodels"
READER = "reader"
LINES_OF_SCALE_1 = 3_020
"""Order lines per unit of scale, on average."""

_OPTIONS: dict[str, str | Path] = {
    "local_infile": "1",
    "innodb_buffer_pool_size": "3G",  # the data is in memory, as on a dedicated server
    "innodb_buffer_pool_dump_at_shutdown": "0",
    "innodb_buffer_pool_load_at_startup": "0",
}
OPTIONS: dict[str, dict[str, str | Path]] = {
    "mariadb": {**_OPTIONS, "innodb_log_file_size": "512M", "skip_log_bin": "1"},
    # By default MySQL encrypts local connections too, and MariaDB doesn't
    "mysql": {**_OPTIONS, "innodb_redo_log_capacity": "1G", "tls_version": ""},
}


@dataclass(frozen=True)
class Source:
    """A running server with its database."""

    server: DatabaseServer
    database: str
    url: str
    folder: Path
    """Folder for the data and the expected figures."""

    def ask(self, sql: str) -> list[list[str]]:
        """Run a query on the server and return its rows as text."""
        answer = self.server.execute(sql, self.database)
        return [line.split("\t") for line in answer.splitlines()]


def new_folder() -> Scratch:
    """Return a folder for one run. Folders that killed benchmarks left are removed first."""
    sweep(DATA / "runs")
    return Scratch(DATA / "runs")


@contextmanager
def source(kind: str, lines: int) -> Iterator[Source]:
    """Yield a server with about `lines` order lines, loaded from the sample if needed."""
    folder = DATA / f"{kind}-{lines}"
    scale = max(1, round(lines / LINES_OF_SCALE_1))
    label = {"scale": scale, "seed": SEED, "code": code_digest()}
    ready = folder / "label.json"
    if not ready.exists() or json.loads(ready.read_text(encoding="utf-8")) != label:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with server_of(kind, datadir=folder / "data", **OPTIONS[kind]) as server:
        try:
            if not ready.exists():
                fill(server, scale)
                ready.write_text(json.dumps(label), encoding="utf-8")
            yield Source(server, DATABASE, reader_url(server), folder)
        finally:
            server.stop()  # a clean shutdown, because the data is used again


def reader_url(server: DatabaseServer) -> str:
    """Return the source URL of the user that may only read."""
    return server.url(READER, READER, DATABASE)


def fill(server: DatabaseServer, scale: int) -> None:
    """Load the sample into a new database, with a user that may only read it."""
    server.execute(f"""
        create database {DATABASE};
        create user owner identified by 'owner';
        grant all on {DATABASE}.* to owner;
        create user {READER} identified by '{READER}';
        grant select on {DATABASE}.* to {READER};
    """)
    load(make_url(server.url("owner", "owner", DATABASE)), DATA / "load", scale)
