"""The database that all contenders read, loaded once for each server and number of lines."""

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
"""On average; one scale has a few more or less."""

_OPTIONS: dict[str, str | Path] = {
    "local_infile": "1",
    "innodb_buffer_pool_size": "3G",  # the data is in memory, as it is on a server of its own
    "innodb_buffer_pool_dump_at_shutdown": "0",
    "innodb_buffer_pool_load_at_startup": "0",
}
OPTIONS: dict[str, dict[str, str | Path]] = {
    "mariadb": {**_OPTIONS, "innodb_log_file_size": "512M", "skip_log_bin": "1"},
    # By default MySQL encrypts even what stays on the machine, and MariaDB doesn't
    "mysql": {**_OPTIONS, "innodb_redo_log_capacity": "1G", "tls_version": ""},
}


@dataclass(frozen=True)
class Source:
    """A server that runs, and its database."""

    server: DatabaseServer
    database: str
    url: str
    folder: Path
    """Where what is known of the data is kept."""

    def ask(self, sql: str) -> list[list[str]]:
        """What the server itself answers, as text."""
        answer = self.server.execute(sql, self.database)
        return [line.split("\t") for line in answer.splitlines()]


def new_folder() -> Scratch:
    """A folder for one run; what a benchmark that was killed left there is removed before."""
    sweep(DATA / "runs")
    return Scratch(DATA / "runs")


@contextmanager
def source(kind: str, lines: int) -> Iterator[Source]:
    """A server with about so many order lines, made from the sample generator if need be."""
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
            server.stop()  # in order, as the data is for the next time, too


def reader_url(server: DatabaseServer) -> str:
    """The source URL of the user who may only read."""
    return server.url(READER, READER, DATABASE)


def fill(server: DatabaseServer, scale: int) -> None:
    """Load the sample into a new database, with a user who may only read it."""
    server.execute(f"""
        create database {DATABASE};
        create user owner identified by 'owner';
        grant all on {DATABASE}.* to owner;
        create user {READER} identified by '{READER}';
        grant select on {DATABASE}.* to {READER};
    """)
    load(make_url(server.url("owner", "owner", DATABASE)), DATA / "load", scale)
