"""The lock that keeps a second schedule away from a store until the first one has ended."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, PoolProxiedConnection

from vpemetrics.errors import StoreBusy
from vpemetrics.files import create
from vpemetrics.store.engine import (
    explain_errors,
    file_of,
    location_url,
    make_engine,
    without_password,
)

_BESIDE: Final = "-schedule"
# Any number will do that is not the one of the writers.
_SCHEDULES: Final = 0x76706E


@contextmanager
def only_schedule(location: str | Path) -> Iterator[None]:
    """Be the only schedule of a store while it lasts. StoreBusy if there is one already.

    A file beside an embedded store is locked, and in a shared one a number; either lock goes
    with the process, or with its connection, however they end.
    """
    url = location_url(location)
    store = file_of(url)
    if store:
        url = location_url(f"{store}{_BESIDE}")
        create(Path(f"{store}{_BESIDE}"))
    engine = make_engine(url)
    with closing(_connect(engine)) as connection:
        with explain_errors(engine):
            held = _lock_file(connection) if store else _lock_number(connection)
        if not held:
            where = store or without_password(url)
            raise StoreBusy(f"{where}: a schedule is running on this store already")
        yield


def _connect(engine: Engine) -> PoolProxiedConnection:
    """A connection that no pool keeps: closing it lets go of its locks."""
    with explain_errors(engine):
        connection = engine.raw_connection()
    connection.detach()
    return connection


def _lock_file(connection: PoolProxiedConnection) -> bool:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except Exception as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY":
            raise
        return False
    return True


def _lock_number(connection: PoolProxiedConnection) -> bool:
    # A lock of the session, which ends with the connection.
    # https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    # Outside of any transaction, or one would be open for as long as the process lives.
    connection.dbapi_connection.autocommit = True  # type: ignore[union-attr]
    cursor = connection.cursor()
    cursor.execute(f"SELECT pg_try_advisory_lock({_SCHEDULES})")
    (locked,) = cursor.fetchone() or (False,)
    return bool(locked)
