"""Where the Dagster instance of a checkout keeps its events; `.dagster/dagster.yaml` names it."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool


class EventLog(SqliteEventLogStorage):
    """Dagster's event log in SQLite, which doesn't begin anew with each event.

    A refresh has some three hundred events. For each, Dagster's own makes two new engines, which
    have every statement to compile again, and opens and closes their files. Here both stay.
    """

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engine = lru_cache(maxsize=16)(self._new_engine)
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """It needs no configuration."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "EventLog":  # noqa: ARG003
        """Keep the events where Dagster does by default."""
        return cls(str(Path(os.environ["DAGSTER_HOME"], "history", "runs")), inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store it, and let the UI know, which waits for a change of the file of the run."""
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))  # what was written is in the log beside it

    @contextmanager
    def _connect(self, shard: str) -> Generator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _new_engine(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={
                "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
                "check_same_thread": False,  # threads take turns by the lock
            },
        )
        # Saved from a crash of ours by each commit, from one of the machine now and then
        event.listen(engine, "connect", lambda file, _: file.execute("pragma synchronous = normal"))
        return engine
