"""The store: facts go in by `save`, come out as records for export and as columns for numbers."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from time import sleep
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection, Engine, select, union
from sqlalchemy.exc import SQLAlchemyError

from vpemetrics.errors import ForgottenMeanwhile, NewerStore, NoData, StoreProblem
from vpemetrics.files import create, follow
from vpemetrics.records import AnyRecord, Change, Commit, Coverage, Sourced
from vpemetrics.store import derived, future_marks, loading, schema, tables
from vpemetrics.store.compaction import compact, is_asked_for
from vpemetrics.store.engine import (
    DamagedChunk,
    begin_read,
    begin_write,
    check_server,
    damaged,
    damaged_server,
    explain_errors,
    file_of,
    location_url,
    make_engine,
    make_reading_engine,
    without_password,
)
from vpemetrics.store.horizons import load_horizon, within
from vpemetrics.store.loading import LastCollection
from vpemetrics.store.mapping import FACTS, count_of
from vpemetrics.store.plain_schema import acting_part
from vpemetrics.store.saving import Saved, Saving, last_batch
from vpemetrics.store.side_files import check_side_files
from vpemetrics.window import is_yet_to_come

if TYPE_CHECKING:
    from vpemetrics.record_columns import RecordColumns
    from vpemetrics.store.columns import Arrays

_CHUNK = 5_000
_MAY_COME_OF_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    SQLAlchemyError,
    TypeError,
    ValueError,
)
"""The errors that are met with where a value is none that was ever saved."""
_AT_ONCE_MS = 1
_TRIES, _PAUSE_S = 600, 0.05


class Store:
    """All that is known, in one database: a file (SQLite) or a server (PostgreSQL).

    Open one with `Store.open`; it is a context manager that closes its connections.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, location: str | Path, *, must_exist: bool = False) -> Self:
        """The store at a path or URL, made if it is not there, brought up to this version.

        NewerStore, with the store untouched, if a newer version of vpemetrics made it;
        NoData if it `must_exist` and does not.
        """
        url = location_url(location)
        path = file_of(url)
        with _blame_damage(path):
            if path is not None:
                _check_file(path, must_exist=must_exist)
            engine = make_engine(url)
            try:
                _prepare(engine, path, must_exist=must_exist)
            except BaseException:
                engine.dispose()
                raise
        return cls(engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the database; StoreProblem for what went wrong because it is damaged."""
        self.close()
        if error:
            self.raise_if_damaged(error)

    def raise_if_damaged(self, error: BaseException) -> None:
        """StoreProblem if an error that nobody expected comes of damage."""
        path = file_of(self._engine.url)
        if path and isinstance(error, _MAY_COME_OF_DAMAGE) and _is_damaged(path):
            raise damaged(str(path)) from error
        if path is None and isinstance(error, DamagedChunk):
            raise damaged_server(without_password(self._engine.url)) from error

    def save(
        self,
        source: str,
        records: Iterable[AnyRecord],
        *,
        cursors: Mapping[str, str] | None = None,
    ) -> Saved:
        """Save what one source said, and how far it has been collected (scope → position).

        All of it or nothing.
        Saving a record again is harmless; saving a different one under its key replaces it.
        """
        return self._save(((source, record) for record in records), {source: cursors or {}})

    def save_collected(
        self,
        source: str,
        records: Iterable[AnyRecord],
        *,
        columns: "Iterable[RecordColumns]" = (),
        cursors: Mapping[str, str],
        gone: Mapping[type[AnyRecord], Iterable[str]] = MappingProxyType({}),
        times_forgotten: int,
    ) -> Saved:
        """Save what a collection told, as `save` does, without what lies behind its horizon.

        `columns` are more records, saved after the others; `gone` are those, by their keys, that
        the source told before and takes back.
        ForgottenMeanwhile if a source was forgotten since it began, at which `times_forgotten`
        was the count: what this one has read then goes on from something that is gone.
        """
        chunks = _chunks((source, record) for record in records)
        first = next(chunks, [])
        pending = iter(columns)
        ready = list(_first_of(pending))
        with self.transaction() as connection:
            if _times_forgotten(connection) != times_forgotten:
                raise ForgottenMeanwhile(
                    "something was forgotten while this was collected, so the rest of it was not "
                    "kept; collect it again"
                )
            saving, horizon = Saving(connection), load_horizon(connection, source)
            chunks, told = chain([first], chunks), chain(ready, pending)
            if horizon is None:
                for chunk in chunks:
                    saving.write(chunk)
                for part in told:
                    saving.write_columns(part)
            else:  # seldom is there one, so one by one
                pairs = chain(chain.from_iterable(chunks), _pairs(told))
                for chunk in _chunks(pairs):
                    kept = within([record for _, record in chunk], horizon)
                    saving.write((source, record) for record in kept)
            saving.move_cursors(source, cursors)
            saving.remove(source, gone)
            return saving.finish()

    def times_forgotten(self) -> int:
        """Count the times that sources or repositories were forgotten."""
        with begin_read(self._engine) as connection:
            return _times_forgotten(connection)

    def wants_compaction(self) -> bool:
        """Tell whether something was forgotten whose bytes may still be in the store."""
        return is_asked_for(self._engine)

    def compact(self) -> None:
        """Give back the room, and with it the bytes, of what was forgotten."""
        compact(self._engine)

    def save_all(self, records: Iterable[Sourced]) -> Saved:
        """Save records of several sources in one transaction, as `save` does."""
        return self._save(records, {})

    def save_columns(self, found: Iterable["RecordColumns"], *, author_lists: str = "") -> Saved:
        """Save records that are columns, in one transaction, as `save` does.

        `author_lists` changes with the lists by which their authors were judged.
        """
        judged = set[tuple[str, str]]()
        pending = iter(found)
        first = next(pending, None)  # before the transaction: a small save never waits inside it
        with self.transaction() as connection:
            saving = Saving(connection)
            for told in chain(() if first is None else [first], pending):
                saving.write_columns(told)
                if author_lists and told.record in (Change, Commit):
                    judged.update((source, told.record.KIND) for source in set(told.sources))
            saving.note_author_lists(sorted(judged), author_lists)
            return saving.finish()

    def _save(self, records: Iterable[Sourced], cursors: Mapping[str, Mapping[str, str]]) -> Saved:
        chunks = _chunks(records)
        first = next(chunks, [])  # before the transaction: a small save never waits inside it
        with self.transaction() as connection:
            saving = Saving(connection)
            for chunk in chain([first], chunks):
                saving.write(chunk)
            for source, positions in cursors.items():
                saving.move_cursors(source, positions)
            return saving.finish()

    def records(self, kind: str) -> Iterator[Sourced]:
        """Every record of a kind (a key of RECORD_TYPES) with its source, by source and key."""
        with begin_read(self._engine) as connection:
            yield from loading.load(connection, kind)

    def coverage(self) -> list[Coverage]:
        """Every stretch of time that was collected, touching ones joined."""
        with begin_read(self._engine) as connection:
            return loading.load_coverage(connection)

    def cursors(self, source: str) -> dict[str, str]:
        """Return how far a source has been collected: scope → position."""
        table, names = tables.cursors, tables.names
        query = (
            select(table.c.scope, table.c.position)
            .join(names, names.c.id == table.c.source_id)
            .where(names.c.name == source, table.c.scope != tables.LEFT_OUT)
        )
        with begin_read(self._engine) as connection:
            return {row.scope: row.position for row in connection.execute(query)}

    def note_collection(
        self,
        source: str,
        started_at: datetime,
        finished_at: datetime,
        error: str | None = None,
        left_out: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Note when a source was collected last; `error` is what went wrong, without secrets.

        `left_out` are the records that it does not give as it should, by their names, and why.
        Those of before a collection that failed stay, as it may not have come to them.
        """
        with self.transaction() as connection:
            before = loading.load_left_out(connection).get(source, {}) if error else {}
            saving = Saving(connection)
            saving.note_collection(source, started_at, finished_at, error)
            saving.note_left_out(source, {**before, **left_out})

    def collections(self) -> dict[str, LastCollection]:
        """The last collection of each source, by its name; imported ones never were."""
        with begin_read(self._engine) as connection:
            return loading.load_collections(connection)

    def forget_future(self, now: datetime) -> datetime | None:
        """Cut what is covered later than now; return the moment it was covered to, if that is so.

        A clock was wrong once, and all until then would seem to be collected.
        """
        with begin_read(self._engine) as connection:
            latest = future_marks.latest_coverage(connection)
        if latest is None or not is_yet_to_come(latest, now):
            return None
        with self.transaction() as connection:
            future_marks.cut_coverage(connection, now)
        return latest

    def forget_future_collection(self, source: str, now: datetime) -> datetime | None:
        """Have a source collected anew whose last collection is yet to come; return its moment.

        It ended where a wrong clock said, and the next one would begin there.
        """
        with begin_read(self._engine) as connection:
            latest = future_marks.future_collection(connection, source, now)
        if latest is not None:
            with self.transaction() as connection:
                future_marks.forget_collections(connection, source)
        return latest

    def sources(self) -> list[str]:
        """The names of the sources that anything is known from, in order."""
        used = union(*(select(table.c.source_id) for table in FACTS.values()))
        query = select(tables.names.c.name).where(tables.names.c.id.in_(used))
        with begin_read(self._engine) as connection:
            return sorted(connection.scalars(query))

    def counts(self) -> dict[str, int]:
        """Count the records of each kind; kinds without any are left out."""
        with begin_read(self._engine) as connection:
            counts = {
                kind: connection.execute(select(count_of(table)).select_from(table)).scalar_one()
                for kind, table in FACTS.items()
            }
        return {kind: count for kind, count in counts.items() if count}

    def batch(self) -> int:
        """The number of the last save that changed anything; 0 before the first."""
        with begin_read(self._engine) as connection:
            return last_batch(connection)

    def lineage_mark(self) -> tuple[int, str]:
        """The last save that lineage has seen, and the digest of the rules it went by."""
        with begin_read(self._engine) as connection:
            return derived.load_mark(connection)

    def columns(self, sql: str, *, text: Collection[str] = ()) -> "Arrays":
        """A query's columns as arrays; see `read_columns`."""
        from vpemetrics.store.columns import read_columns

        with begin_read(self._engine) as connection:
            return read_columns(connection, sql, text=text)

    def view(self) -> AbstractContextManager[Connection]:
        """A connection that sees one moment of the store; for reading."""
        return begin_read(self._engine)

    def transaction(self) -> AbstractContextManager[Connection]:
        """A connection that is the only writer; commits at the end, or nothing happened."""
        return begin_write(self._engine)

    def transaction_at_once(self) -> AbstractContextManager[Connection]:
        """The same where nobody else is writing now; StoreBusy where somebody is."""
        return begin_write(self._engine, patience_ms=_AT_ONCE_MS)


@contextmanager
def _blame_damage(path: Path | None) -> Iterator[None]:
    try:
        yield
    except _MAY_COME_OF_DAMAGE as error:
        if path and path.is_file() and _is_damaged(path):
            raise damaged(str(path)) from error
        raise


def _is_damaged(path: Path) -> bool:
    """Tell whether a file is other than it was written."""
    from vpemetrics.store.integrity import is_damaged

    engine = make_reading_engine(path)
    try:
        with begin_read(engine) as connection:
            return is_damaged(connection)
    except (StoreProblem, SQLAlchemyError):
        return True
    finally:
        engine.dispose()


def _times_forgotten(connection: Connection) -> int:
    from vpemetrics.store import forgetting  # nobody who reads pays for it

    return forgetting.times_forgotten(connection)


def _chunks(records: Iterable[Sourced]) -> Iterator[list[Sourced]]:
    pending = iter(records)
    while chunk := list(islice(pending, _CHUNK)):
        yield chunk


def _first_of(columns: "Iterator[RecordColumns]") -> "Iterator[RecordColumns]":
    """As many columns as a small save has, or somewhat more."""
    count = 0
    while count < _CHUNK and (told := next(columns, None)) is not None:
        count += len(told)
        yield told


def _pairs(columns: "Iterable[RecordColumns]") -> Iterator[Sourced]:
    for told in columns:
        yield from zip(told.sources, told.records(), strict=True)


def _check_file(path: Path, *, must_exist: bool) -> None:
    """Make sure, without touching the file, that it is a store or can become one."""
    check_side_files(follow(path))
    if not path.exists():
        if must_exist:
            raise NoData(f"there is no store at {path}; import or collect something first")
        create(path)  # its log and its index get the same permissions from SQLite
        return
    if path.is_dir():
        raise StoreProblem(f"{path} is a folder; name a file, as in {path / 'vpemetrics.db'}")
    if not path.is_file():  # a pipe would be waited for
        raise StoreProblem(f"{path} is no file, so it cannot be a store")
    engine = make_reading_engine(path)
    try:
        with explain_errors(engine), engine.connect() as connection:
            _check(connection, path)
    finally:
        engine.dispose()


def _check(connection: Connection, where: object) -> None:
    check_server(connection, str(where))
    _refuse_what_acts(connection, where, schema.MARKED)
    if schema.is_empty(connection):
        return
    if not schema.is_store(connection):
        raise StoreProblem(f"{where} is a database, but no store of vpemetrics")
    version = schema.stored_version(connection)
    if not schema.is_known(version):
        raise NewerStore(
            f"{where} was made by a newer version of vpemetrics (schema {version}, this version "
            f"knows {schema.SCHEMA_VERSION}) and was left as it is; upgrade vpemetrics to read it"
        )
    if version == schema.SCHEMA_VERSION and not schema.has_shape(connection):
        raise StoreProblem(
            f"{where} was made before its schema {version} was final, and was left as it is. "
            "Write it out with `vpemetrics export` of the version that made it and import that "
            "into a new store, or move it away and collect anew"
        )
    # Only now: what an earlier build made is known by its mark, and not by its tables.
    _refuse_what_acts(connection, where, tables.metadata.tables)


def _refuse_what_acts(connection: Connection, where: object, read: Collection[str]) -> None:
    if connection.dialect.name == "sqlite" and (odd := acting_part(connection, read)):
        raise damaged(str(where), odd)


def _prepare(engine: Engine, path: Path | None, *, must_exist: bool) -> None:
    """Give an empty database its schema, and an older embedded store its migrations."""
    where = path or without_password(engine.url)
    with begin_read(engine) as connection:
        _check(connection, where)
        empty = schema.is_empty(connection)
        if not empty and schema.stored_version(connection) == schema.SCHEMA_VERSION:
            return
    if path is None and empty and must_exist:
        raise NoData(f"there is no store at {where}; import or collect something first")
    if path is None and not empty:
        raise StoreProblem(
            f"{where} has an older schema; run `vpemetrics db upgrade` when nobody is using it"
        )
    if path is not None:
        _write_ahead(engine)
    with begin_write(engine) as connection:
        _bring_up_to_date(connection)


def upgrade(location: str | Path) -> tuple[str | None, str]:
    """Bring the store at a path or URL to this version's schema, shared or not.

    Returns the version it had, None for an empty database, and the version it has.
    """
    url = location_url(location)
    path = file_of(url)
    if path is not None:
        _check_file(path, must_exist=True)
    engine = make_engine(url)
    try:
        with begin_read(engine) as connection, _blame_damage(path):
            _check(connection, path or without_password(url))
        with begin_write(engine) as connection:
            before = None if schema.is_empty(connection) else schema.stored_version(connection)
            _bring_up_to_date(connection)
    finally:
        engine.dispose()
    return before, schema.SCHEMA_VERSION


def _bring_up_to_date(connection: Connection) -> None:
    # Asked again inside the transaction: another process may have been quicker.
    if schema.is_empty(connection):
        schema.create(connection)
    elif schema.stored_version(connection) != schema.SCHEMA_VERSION:
        schema.upgrade(connection)


def _write_ahead(engine: Engine) -> None:
    """Let readers read while somebody writes; SQLite remembers it in the file."""
    # https://www.sqlite.org/wal.html. Of processes that do so at once all but one are told that it
    # is busy, without the wait that they asked for.
    with explain_errors(engine):
        for left in reversed(range(_TRIES)):
            connection = engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                    raise
            finally:
                connection.close()
            sleep(_PAUSE_S)
