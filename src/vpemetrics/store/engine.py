"""Connections to the database: how they are set up, and what their errors mean to people."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from os import W_OK, access
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from vpemetrics.errors import StoreBusy, StoreFull, StoreProblem
from vpemetrics.store.write_ahead_log import give_back, log_of

_BUSY_TIMEOUT_MS = 30_000
# Of a file's pages: who writes comes back to those of indexes, who reads to nearly none.
_CACHE_KIB, _READING_CACHE_KIB = 64 * 1024, 4 * 1024
_MOST_BYTES_OF_VALUE = 256 * 2**20
_PAGE_BYTES = 16_384
# Of a store that is opened on a full disk: https://www.sqlite.org/rescode.html#ioerr_shmsize
_SQLITE_IOERR_SHMSIZE = 4874
# https://www.sqlite.org/rescode.html
_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_READONLY, _SQLITE_IOERR = 5, 6, 8, 10
_SQLITE_CORRUPT, _SQLITE_FULL, _SQLITE_CANTOPEN, _SQLITE_NOTADB = 11, 13, 14, 26
# Of a header, and of a text, which have no codes of their own.
_DAMAGE = re.compile("unsupported file format|Could not decode to UTF-8").match
_POSTGRES_OLDEST = 15
_SERVER = (
    "SELECT current_setting('server_version_num')::integer / 10000, "
    "current_setting('server_encoding')"
)
_CONNECTING_S = 10
# Any number will do; all processes that write to a shared store take the lock of this one.
_WRITERS = 0x76706D


def location_url(location: str | Path) -> URL:
    """The address of a store: a URL as it is, anything else as the path of a SQLite file.

    StoreProblem for a URL that cannot be read; its text holds no piece of it.
    """
    text = str(location)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    url = _parse(text)
    # An @ further on is one of the password's, which was then cut there.
    if url is None or (url.host and "@" in f"{url.host}/{url.database}"):
        raise StoreProblem(
            "the address of the store cannot be read. It looks like "
            "postgresql://user:password@host:5432/database; "
            "in the password an @ is written %40, a / %2F and a % %25."
        )
    if url.get_backend_name() == "sqlite" and not _is_plain_file(url):
        raise StoreProblem(
            "the address of a store on SQLite is sqlite:/// and the path of a file, and nothing "
            "else; or give the path alone"
        )
    return url


def _is_plain_file(url: URL) -> bool:
    """True of an address that says a path and nothing else, so that no two read it differently.

    SQLite takes addresses of its own in the place of the path: https://www.sqlite.org/uri.html
    """
    path = url.database or ""
    is_plain = url.drivername in ("sqlite", "sqlite+pysqlite") and not (url.host or url.query)
    is_path = path not in ("", ":memory:") and not path.startswith("file:") and "\0" not in path
    return is_plain and is_path


def _parse(text: str) -> URL | None:
    # The errors go no further: they may quote a piece of the password.
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        return None


def without_password(url: URL) -> str:
    """The address fit to be shown: no password, wherever it was given."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string()


def file_of(url: URL) -> Path | None:
    """The file of an embedded store; None for a shared one."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    # SQLite takes files by address too, as in make_reading_engine.
    is_address = url.database.startswith("file:")
    return Path(unquote(urlsplit(url.database).path) if is_address else url.database)


def make_engine(url: URL) -> Engine:
    """Connections for reading and writing. StoreProblem for a kind of database we cannot use."""
    match url.get_backend_name():
        case "sqlite":
            return _sqlite_engine(url)
        case "postgresql" | "postgres":
            return _postgres_engine(url)
    raise StoreProblem(
        f"{without_password(url)}: cannot be used as a store. "
        "Give the path of a file (SQLite) or a postgresql:// address."
    )


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url)
    event.listen(engine, "connect", _defend)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres_engine(url: URL) -> Engine:
    defaults = {"connect_timeout": str(_CONNECTING_S), "application_name": "vpemetrics"}
    url = url.set(drivername="postgresql+psycopg", query=defaults | dict(url.query))
    try:
        # Rows are passed as tuples, so parameters have to go by position.
        engine = create_engine(url, paramstyle="format")
    except ArgumentError as error:
        raise StoreProblem(f"{without_password(url)}: {error}") from None
    except ModuleNotFoundError as error:
        raise StoreProblem(
            f"{without_password(url)}: PostgreSQL needs psycopg; "
            "pip install 'vpemetrics[postgresql]'"
        ) from error
    event.listen(engine, "begin", _begin_postgres)
    return engine


def make_reading_engine(path: Path) -> Engine:
    """Connections that cannot change a SQLite file, nor leave anything beside it."""
    # Without a log beside it the file is whole, and SQLite need not even lock it.
    # https://www.sqlite.org/uri.html#uriimmutable
    mode = "mode=ro" if log_of(path).exists() else "immutable=1"
    engine = create_engine(f"sqlite:///{path.absolute().as_uri()}?{mode}&uri=true")
    event.listen(engine, "connect", _defend)
    return engine


def check_server(connection: Connection, where: str) -> None:
    """StoreProblem for a server too old, or a database that cannot hold every text."""
    if connection.dialect.name != "postgresql":
        return
    major, encoding = connection.exec_driver_sql(_SERVER).one()
    if major < _POSTGRES_OLDEST:
        raise StoreProblem(
            f"{where}: PostgreSQL {major} is too old; {_POSTGRES_OLDEST} or newer is needed"
        )
    if encoding != "UTF8":
        raise StoreProblem(
            f"{where}: the database keeps texts as {encoding}; "
            "make one with ENCODING 'UTF8' TEMPLATE template0"
        )


@contextmanager
def begin_write(engine: Engine, patience_ms: int | None = None) -> Iterator[Connection]:
    """One transaction that is the only writer from its first moment; all of it or nothing.

    StoreBusy if another process is writing for longer than its patience.
    """
    patience = _BUSY_TIMEOUT_MS if patience_ms is None else patience_ms
    options = {"writes": True, "patience_ms": patience}
    with explain_errors(engine):
        try:
            with engine.execution_options(**options).begin() as connection:
                yield connection
        except BaseException:
            if path := file_of(engine.url):
                give_back(engine, path, _BUSY_TIMEOUT_MS)
            raise


@contextmanager
def begin_read(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the store."""
    with explain_errors(engine), engine.begin() as connection:
        yield connection


@contextmanager
def explain_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's errors that people can do something about into ours."""
    try:
        yield
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        problem_of = _postgres_problem if engine.dialect.name == "postgresql" else _sqlite_problem
        problem = problem_of(cause, str(file_of(engine.url) or without_password(engine.url)))
        if problem is None:
            raise
        raise problem from error


def _read_only(where: str) -> StoreProblem:
    return StoreProblem(
        f"{where}: the store, or the folder it is in, cannot be written to, which reading "
        "it needs too. Copy the file to a folder of yours and name that with --store."
    )


def _full(where: str) -> StoreFull:
    return StoreFull(
        f"{where}: the disk is full. Nothing of this save was kept, and what was saved "
        "before is whole. Make room and run the same command again."
    )


def damaged(where: str, odd: str | None = None) -> StoreProblem:
    """The error of a store whose file is not what was written, with the ways out.

    `odd` is a part of its schema that was found to be other than we make it.
    """
    file, rescued = quote(where), quote(f"{where}.rescued")
    found = f" (its {odd} is none that we make)" if odd else ""
    return StoreProblem(
        f"{where}: this file is damaged, or no store of vpemetrics{found}; it was left as it is.\n"
        "Keep a copy, and put your last back-up in its place. Without one, rescue what can be read "
        f"with `sqlite3 {file} .recover | sqlite3 {rescued}` and use that with --store, or move "
        "the file away and collect or import anew."
    )


class DamagedChunk(ValueError):
    """Bytes of commits that are not as they were written."""


def damaged_server(where: str) -> StoreProblem:
    """The error of a shared store in which commits are not as they were written."""
    return StoreProblem(
        f"{where}: commits in this store are damaged; it was left as it is. Put your last back-up "
        "in its place, or forget the repositories and collect or import them anew."
    )


def _busy(where: str) -> StoreBusy:
    return StoreBusy(
        f"{where}: another process is writing to the store. Nothing of this save was kept; "
        "run the same command again when it has finished."
    )


def _postgres_problem(error: BaseException | None, where: str) -> StoreProblem | None:
    from psycopg import OperationalError, ProgrammingError

    said = str(error).partition("\n")[0]
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    match getattr(error, "sqlstate", None):
        case "53100":  # disk_full
            return _full(where)
        case "55P03":  # lock_not_available
            return _busy(where)
        case "42501" | "25006":  # insufficient_privilege, read_only_sql_transaction
            rights = "docs/operations.md names the rights that it takes"
            return StoreProblem(f"{where}: {said}; {rights}")
    # Of an address with something in it that there is not, no server says what is wrong.
    is_address = isinstance(error, ProgrammingError) and error.sqlstate is None
    is_known = isinstance(error, OperationalError) or is_address
    return StoreProblem(f"{where}: {said}") if is_known else None


def _sqlite_problem(error: BaseException | None, where: str) -> StoreProblem | None:
    detailed = getattr(error, "sqlite_errorcode", 0)
    code = detailed & 0xFF
    if code == _SQLITE_FULL or detailed == _SQLITE_IOERR_SHMSIZE:
        return _full(where)
    if code in (_SQLITE_BUSY, _SQLITE_LOCKED):
        return _busy(where)
    if code in (_SQLITE_CORRUPT, _SQLITE_NOTADB) or _DAMAGE(str(error)):
        return damaged(where)
    if code == _SQLITE_READONLY:
        return _read_only(where)
    # On a disk that is read only a store that has no log beside it cannot even be opened.
    if code == _SQLITE_CANTOPEN and not access(Path(where).parent, W_OK):
        return _read_only(where)
    if code in (_SQLITE_CANTOPEN, _SQLITE_IOERR):
        return StoreProblem(f"{where}: the store cannot be opened or written: {error}.")
    return None


def _defend(connection: Any, _record: object) -> None:
    """Have SQLite believe nothing that a file says of itself, which somebody else may have made.

    https://www.sqlite.org/security.html#untrusted_sqlite_database_files
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # A value is read whole: https://www.sqlite.org/limits.html#max_length
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES_OF_VALUE)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, see _begin_sqlite
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a file that is still to be made
    # With a write-ahead log a crash loses the last transactions at worst, and damages nothing.
    # https://www.sqlite.org/pragma.html#pragma_synchronous
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_READING_CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail in the middle when someone else
    # wrote meanwhile; one that says so at its beginning waits its turn instead.
    # https://www.sqlite.org/lang_transaction.html#immediate
    options = connection.get_execution_options()
    if not options.get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options['patience_ms']}")
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgres(connection: Connection) -> None:
    # By itself every statement would see the store as it is by then.
    # https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
    options = connection.get_execution_options()
    if not options.get("writes", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return
    # The lock ends with the transaction, and waits no longer than any other lock would.
    # https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {options['patience_ms']}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
