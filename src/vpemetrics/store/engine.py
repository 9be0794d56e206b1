"""Connections to the database: how they are set up, and what their errors mean to people."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from vpemetrics.errors import StoreBusy, StoreFull, StoreProblem

_BUSY_TIMEOUT_MS = 30_000
_CACHE_KIB = 64 * 1024
_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_READONLY, _SQLITE_IOERR = 5, 6, 8, 10
_SQLITE_CORRUPT, _SQLITE_FULL, _SQLITE_CANTOPEN, _SQLITE_NOTADB = 11, 13, 14, 26
_POSTGRES_FULL, _POSTGRES_LOCKED = "53100", "55P03"


def location_url(location: str | Path) -> URL:
    """The address of a store: a URL as it is, anything else as the path of a SQLite file."""
    text = str(location)
    return make_url(text) if "://" in text else URL.create("sqlite", database=text)


def file_of(url: URL) -> Path | None:
    """The file of an embedded store; None for a shared one."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database)


def make_engine(url: URL) -> Engine:
    """Connections for reading and writing. StoreProblem for a kind of database we cannot use."""
    if url.get_backend_name() != "sqlite":
        try:
            # Rows are passed as tuples, so parameters have to go by position.
            return create_engine(url, paramstyle="format")
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            where = url.render_as_string(hide_password=True)
            raise StoreProblem(
                f"{where}: cannot be used as a store ({error}). Give the path of a file (SQLite), "
                "or a postgresql:// address with psycopg installed."
            ) from error
    engine = create_engine(url)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_reading_engine(path: Path) -> Engine:
    """Connections that cannot change a SQLite file, nor leave anything beside it."""
    # Without a log beside it the file is whole, and SQLite need not even lock it.
    mode = "mode=ro" if _log_of(path).exists() else "immutable=1"
    return create_engine(f"sqlite:///{path.absolute().as_uri()}?{mode}&uri=true")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that is the only writer from its first moment; all of it or nothing."""
    with explained(engine), engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the store."""
    with explained(engine), engine.begin() as connection:
        yield connection


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turns the database's errors that people can do something about into ours."""
    try:
        yield
    except DBAPIError as error:
        where = file_of(engine.url) or engine.url.render_as_string(hide_password=True)
        problem = _problem(error.orig, str(where))
        if problem is None:
            raise
        raise problem from error


def _problem(error: BaseException | None, where: str) -> StoreProblem | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it are details
    state = getattr(error, "sqlstate", None)
    if code == _SQLITE_FULL or state == _POSTGRES_FULL:
        return StoreFull(
            f"{where}: the disk is full. Nothing of this save was kept, and what was saved "
            "before is whole. Make room and run the same command again."
        )
    if code in (_SQLITE_BUSY, _SQLITE_LOCKED) or state == _POSTGRES_LOCKED:
        return StoreBusy(
            f"{where}: another process is writing to the store. Nothing of this save was kept; "
            "run the same command again when it has finished."
        )
    if code in (_SQLITE_CORRUPT, _SQLITE_NOTADB):
        return StoreProblem(f"{where}: this file is no SQLite database, or it is damaged.")
    if code == _SQLITE_READONLY:
        return StoreProblem(
            f"{where}: the store, or the folder it is in, cannot be written to, which reading "
            "it needs too. Copy the file to a folder of yours and name that with --store."
        )
    if code in (_SQLITE_CANTOPEN, _SQLITE_IOERR):
        return StoreProblem(f"{where}: the store cannot be opened or written: {error}.")
    return None


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, see _begin_sqlite
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail in the middle when someone else
    # wrote meanwhile; one that says so at its beginning waits its turn instead.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
