"""SQLite's write-ahead log: what a transaction left in it that came to nothing is given back.

SQLite keeps such a log as long as it has grown until all of it fits into the database, for which
a full disk has no room. What follows the last commit in it is worth nothing to anybody.
https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

_HEADER: Final = struct.Struct(">8I")
"""Magic, version, size of a page, number of checkpoints, two salts, two check sums."""

_FRAME: Final = struct.Struct(">6I")
"""Number of the page, size of the database if this is a commit, two salts, two check sums."""

_WORTH_IT: Final = 2**20


def log_of(path: Path) -> Path:
    """The log that stands beside a database while it is open."""
    return path.with_name(path.name + "-wal")


def give_back(engine: Engine, path: Path, patience_ms: int) -> None:
    """Cut the log of a database behind its last commit, if nobody is writing just now."""
    log = log_of(path)
    with suppress(DBAPIError, engine.dialect.loaded_dbapi.Error, OSError):
        if log.stat().st_size < _WORTH_IT:
            return
        with _only_writer(engine, patience_ms), log.open("rb") as file:
            os.truncate(log, committed_bytes(file))


def committed_bytes(log: BinaryIO) -> int:
    """The length of a log up to the end of its last commit."""
    start = log.read(_HEADER.size)
    if len(start) < _HEADER.size:
        return 0
    _, _, page, _, *salts, _, _ = _HEADER.unpack(start)
    committed, end = 0, _HEADER.size
    while len(frame := log.read(_FRAME.size)) == _FRAME.size:
        _, size, *own_salts, _, _ = _FRAME.unpack(frame)
        if own_salts != salts:  # of an earlier use of the file
            break
        end = log.seek(page, os.SEEK_CUR)
        committed = end if size else committed
    return committed


@contextmanager
def _only_writer(engine: Engine, patience_ms: int) -> Iterator[None]:
    """Keep others from writing, without waiting; `patience_ms` is how long to wait afterwards."""
    connection: PoolProxiedConnection = engine.raw_connection()
    cursor: Any = connection.cursor()
    try:
        cursor.execute("PRAGMA busy_timeout = 0")
        cursor.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {patience_ms}")
        connection.close()
