"""The removal of facts for good: of a source, of a repository, or of what is long past.

What is chosen is counted and removed by the same conditions. With facts go the decisions about
them, what was derived, how far sources were collected, the time they were collected for, and
names that nothing refers to any more: all of it in one transaction.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    false,
    func,
    not_,
    or_,
    select,
    union,
    update,
)

from vpemetrics.lineage.graph import Flags
from vpemetrics.names import name_key
from vpemetrics.records import Change, Commit, CoverageKind, Deployment, Incident
from vpemetrics.store import derived, tables
from vpemetrics.store.commit_chunks import Chunk, forget_commits, read_chunks
from vpemetrics.store.compaction import ask_for_compaction
from vpemetrics.store.horizons import moments, raise_horizons
from vpemetrics.store.loading import load_coverage
from vpemetrics.store.mapping import FACTS, SHAPES
from vpemetrics.store.saving import Saving
from vpemetrics.store.shas import Ids, Shas
from vpemetrics.store.tables import Holds, meta, metadata
from vpemetrics.window import MISSING, known_instant, to_micros

_DECIDABLE: Final = (tables.deployments, tables.incidents)
_OF_SOURCES: Final = (
    tables.coverage, tables.cursors, tables.collections, tables.horizons, tables.author_lists
)  # fmt: skip
_TIMES: Final = "forgotten"


@dataclass(frozen=True, kw_only=True)
class ForgetRequest:
    """The facts to forget: those of a source, of a repository, or from before a moment.

    `repository` are all the names that a repository is called by.
    """

    source: str | None = None
    repository: tuple[str, ...] = ()
    before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The number of facts of a kind, and the first and last moment they tell of."""

    kind: str
    count: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, kw_only=True)
class Extent:
    """All that would go with a request.

    `services` is the number of those whose lineage goes, `undated` counts by kind what stays
    because nothing says when it was. `repositories` are the ids of those that go.
    """

    holdings: tuple[Holding, ...]
    services: int = 0
    undated: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to forget."""
        return not self.holdings and not self.sources

    @property
    def counts(self) -> dict[str, int]:
        """The number of facts of each kind."""
        return {holding.kind: holding.count for holding in self.holdings}


def names_of_repository(connection: Connection, name: str) -> tuple[str, ...]:
    """All names of the repository that is, or was, called so, in every spelling (rule D7).

    None if nothing is known of it.
    """
    table, names = tables.repositories, tables.names
    own = select(names.c.name, table.c.aliases).join(names, names.c.id == table.c.name_id)
    known, wanted = set(repositories(connection)), {name_key(name)}
    for current, aliases in connection.execute(own):
        called = {current, *_texts(aliases)}
        if not wanted.isdisjoint(map(name_key, called)):
            known |= called
            wanted.update(map(name_key, called))
    found = {called for called in known if name_key(called) in wanted}
    if found:  # coverage has names of its own
        scopes = connection.scalars(select(tables.coverage.c.scope).distinct())
        found.update(scope for scope in scopes if name_key(scope) in wanted)
    return tuple(sorted(found))


def sources(connection: Connection) -> list[str]:
    """The names of the sources that anything is known from, or that were ever collected."""
    tables_ = (*FACTS.values(), *_OF_SOURCES)
    used = union(*(select(table.c.source_id) for table in tables_))
    query = select(tables.names.c.name).where(tables.names.c.id.in_(used))
    return sorted(connection.scalars(query))


def repositories(connection: Connection) -> list[str]:
    """The names of the repositories that anything is known of."""
    used = union(*(select(column) for column in _repository_columns()))
    query = select(tables.names.c.name).where(tables.names.c.id.in_(used))
    return sorted(connection.scalars(query))


def _repository_columns() -> Iterator[Any]:
    yield tables.repositories.c.name_id
    for table in FACTS.values():
        if "repository_id" in table.c:
            yield table.c.repository_id


def _texts(aliases: str | None) -> list[str]:
    return list(json.loads(aliases)) if aliases else []


def extent(connection: Connection, request: ForgetRequest) -> Extent:
    """Look at all that would go with a request; nothing changes."""
    chosen = _Chosen(connection, request)
    holdings: list[Holding] = []
    for kind, table in FACTS.items():
        if table is tables.coverage or (table is tables.repositories and request.before):
            continue
        if table is tables.commit_chunks:
            holdings += _of_commits(chosen)
            continue
        columns = (table.c[name] for name in _moments(table))
        ends = (end(column) for column in columns for end in (func.min, func.max))
        query = select(func.count(), *ends).select_from(table).where(chosen.condition(table))
        count, *ends_found = connection.execute(query).one()
        known = [at for at in ends_found if at is not None]
        if count:
            first, last = min(known, default=None), max(known, default=None)
            holdings.append(Holding(kind=kind, count=count, first=first, last=last))
    return Extent(
        holdings=tuple(holdings),
        services=len(derived.load_traced(connection)) if holdings else 0,
        undated=dict(_undated(connection)) if request.before else {},
        sources=tuple(sorted(_names(connection, chosen.sources()))),
        repositories=tuple(connection.scalars(chosen.repository_ids())),
    )


def _of_commits(chosen: "_Chosen") -> Iterator[Holding]:
    """The commits that are chosen, if there are any."""
    count, moments = 0, []
    for chunk, gone in chosen.commits():
        count += int(gone.sum())
        dated = np.concatenate([chunk.columns.authored_at[gone], chunk.columns.committed_at[gone]])
        known = dated[dated != MISSING]
        moments += [known.min(), known.max()] if len(known) else []
    if count:
        first, last = min(moments, default=MISSING), max(moments, default=MISSING)
        yield Holding(
            kind=Commit.KIND, count=count, first=known_instant(first), last=known_instant(last)
        )


def forget(connection: Connection, request: ForgetRequest) -> Extent:
    """Remove all that goes with a request, within a transaction; return what it was."""
    found = extent(connection, request)
    chosen = _Chosen(connection, request)
    sources, cursors = chosen.sources(), chosen.cursors()
    # Decisions first, and commits before changes: their conditions look at the others.
    for table in (tables.triage, tables.coverage):
        connection.execute(delete(table).where(chosen.condition(table)))
    for chunk, gone in chosen.commits():
        forget_commits(connection, chunk, gone)
    done = tables.triage, tables.coverage, tables.commit_chunks
    for table in (table for table in FACTS.values() if table not in done):
        connection.execute(delete(table).where(chosen.condition(table)))
    if request.before:
        _cut_coverage(connection, request.before)
        raise_horizons(connection, request.before)
    else:
        _restart(connection, request, sources, cursors)
    if not found.is_empty:
        derived.forget(connection)
        derived.forget_mark(connection)
        _sweep(connection)
        ask_for_compaction(connection)
    return found


def times_forgotten(connection: Connection) -> int:
    """Count the times that cursors were forgotten: what was read by one from before is void."""
    return int(connection.scalar(select(meta.c.value).where(meta.c.key == _TIMES)) or 0)


class _Chosen:
    """The conditions that a request means on each table; none of them is ever NULL."""

    def __init__(self, connection: Connection, request: ForgetRequest) -> None:
        self._connection, self._request = connection, request
        self._source_id = connection.scalar(_ids([request.source or ""]))
        self._names = request.repository

    def condition(self, table: Table) -> ColumnElement[bool]:
        """The condition that holds for the rows to remove."""
        if table is tables.triage:
            return or_(self._own(table), self._decided_about_gone())
        return self._own(table)

    def commits(self) -> Iterator[tuple[Chunk, Flags]]:
        """The chunks that commits go from, and which of each go."""
        before, table = self._request.before, tables.commit_chunks
        own = select(table.c.id) if before else select(table.c.id).where(self._own(table))
        kept = self._listed_by_kept() if before else None
        for id_ in self._connection.scalars(own.order_by(table.c.id)).all():
            chunk = next(read_chunks(self._connection, f"id = {id_}"))
            gone = np.ones(len(chunk.columns), dtype=bool)
            if before and kept is not None:
                latest = np.maximum(chunk.columns.authored_at, chunk.columns.committed_at)
                gone = (latest != MISSING) & (latest < to_micros(before))
                gone &= ~np.isin(chunk.columns.ids, kept)
            if gone.any():
                yield chunk, gone

    def sources(self) -> set[int]:
        """The ids of the sources that anything goes of and that then start anew."""
        request = self._request
        if request.before:
            return set()
        if request.source is not None:
            used = (*FACTS.values(), *_OF_SOURCES)
            queries = [select(t.c.source_id).where(self._own(t)).limit(1) for t in used]
            return {id_ for query in queries for id_ in self._connection.scalars(query)}
        told = {
            id_
            for table in FACTS.values()
            if table is not tables.triage
            for id_ in self._connection.scalars(
                select(table.c.source_id).where(self._own(table)).distinct()
            )
        }
        return told | {source for source, scope in self._all_cursors() if self._is_named(scope)}

    def cursors(self) -> list[tuple[int, str]]:
        """The cursors to remove: a repository's own, or all of a source that keeps none for it."""
        sources, every = self.sources(), self._all_cursors()
        if self._request.source is not None:
            return [(source, scope) for source, scope in every if source in sources]
        named = [(source, scope) for source, scope in every if self._is_named(scope)]
        keeping = {source for source, _ in named}
        return [*named, *((s, scope) for s, scope in every if s in sources - keeping)]

    def repository_ids(self) -> Select[Any]:
        """The permanent ids of the repositories to remove."""
        table = tables.repositories
        wanted = false() if self._request.before else self._own(table)
        return select(table.c.key).where(wanted).distinct().order_by(table.c.key)

    def _own(self, table: Table) -> ColumnElement[bool]:
        """The condition for what is chosen by itself."""
        if self._request.before:
            return _is_before(table, self._request.before)
        if self._request.source is not None:
            return table.c.source_id == (-1 if self._source_id is None else self._source_id)
        if table is tables.repositories:
            return table.c.name_id.in_(_ids(self._names))
        if "repository_id" in table.c:
            return func.coalesce(table.c.repository_id, -1).in_(_ids(self._names))
        if table is tables.incidents:
            # As sources spell what is in a repository: acme/shop#12, acme/shop!12.
            starts = (name + mark for name in self._names for mark in "#!")
            return or_(*(table.c.key.startswith(start, autoescape=True) for start in starts))
        if table is tables.coverage:
            return or_(table.c.scope.in_(self._names), table.c.scope.in_(self._lost_services()))
        return false()

    def _lost_services(self) -> Select[Any]:
        """The names of services that were deployed from nowhere else."""
        table, names = tables.deployments, tables.names
        service = func.coalesce(table.c.service_id, -1)
        gone, kept = select(service).where(self._own(table)), not_(self._own(table))
        return select(names.c.name).where(
            names.c.id.in_(gone), names.c.id.not_in(select(service).where(kept))
        )

    def _decided_about_gone(self) -> ColumnElement[bool]:
        """The condition for decisions about records that go, and are not known elsewhere."""
        gone = union(*(select(t.c.key).where(self._own(t)) for t in _DECIDABLE))
        kept = union(*(select(t.c.key).where(not_(self._own(t))) for t in _DECIDABLE))
        record = tables.triage.c.record
        return and_(record.in_(gone), record.not_in(kept))

    def _listed_by_kept(self) -> Ids:
        """The ids of the commits of pull requests that stay."""
        table = tables.changes
        query = select(table.c.merge_commit_sha, table.c.commit_shas).where(not_(self._own(table)))
        packed = (shas for row in self._connection.execute(query) for shas in row if shas)
        return np.concatenate([np.empty(0, np.int64), *(Shas.unpack(shas).ids for shas in packed)])

    def _all_cursors(self) -> list[tuple[int, str]]:
        table = tables.cursors
        rows = self._connection.execute(select(table.c.source_id, table.c.scope))
        return [(source, scope) for source, scope in rows]

    def _is_named(self, scope: str) -> bool:
        """Tell whether a cursor is of the repository: `acme/shop`, or `acme/shop commits`."""
        return any(scope == name or scope.startswith(f"{name} ") for name in self._names)


def _is_before(table: Table, moment: datetime) -> ColumnElement[bool]:
    """The condition for rows of which the last that is known happened before a moment."""
    if table is tables.coverage:
        return table.c.end_at <= moment
    columns = [table.c[name] for name in _moments(table)]
    if not columns:
        return false()
    known = or_(*(column.is_not(None) for column in columns))
    before = and_(*(or_(column.is_(None), column < moment) for column in columns))
    if table is not tables.triage:
        return and_(known, before)
    # A decision is as old as what it is about; by itself only where nothing is known of that.
    about = union(*(select(t.c.key) for t in _DECIDABLE))
    return and_(before, table.c.record.not_in(about))


def _moments(table: Table) -> list[str]:
    return next((moments(shape) for shape in SHAPES.values() if shape.table is table), [])


def _undated(connection: Connection) -> Iterator[tuple[str, int]]:
    """Count what nothing says the time of, by kind."""
    undated = sum(
        int(((columns.authored_at == MISSING) & (columns.committed_at == MISSING)).sum())
        for _, _, _, columns in read_chunks(connection)
    )
    if undated:
        yield Commit.KIND, undated
    for cls in (Change, Deployment, Incident):
        table = SHAPES[cls].table
        unknown = and_(*(table.c[name].is_(None) for name in _moments(table)))
        count = connection.scalar(select(func.count()).select_from(table).where(unknown))
        if count:
            yield cls.KIND, count


def _ids(names: Iterable[str]) -> Select[Any]:
    return select(tables.names.c.id).where(tables.names.c.name.in_(list(names)))


def _names(connection: Connection, ids: Iterable[int]) -> Iterable[str]:
    table = tables.names
    return connection.scalars(select(table.c.name).where(table.c.id.in_(list(ids))))


def _cut_coverage(connection: Connection, before: datetime) -> None:
    table = tables.coverage
    reaching = (table.c.start_at < before) & (table.c.end_at > before)
    connection.execute(update(table).where(reaching).values(start_at=before))


def _narrow_coverage(connection: Connection, sources: Iterable[int]) -> None:
    """Let sources speak no more for everything, but for what is left: the rest is a gap.

    Incidents are left alone: they speak of services, wherever these are deployed from.
    """
    table, told = tables.coverage, set(_names(connection, sources))
    whole = [
        (stretch.source, stretch)
        for stretch in load_coverage(connection)
        if stretch.source in told
        and stretch.scope == "*"
        and stretch.kind is not CoverageKind.INCIDENTS
    ]
    everything = table.c.source_id.in_(list(sources)) & (table.c.scope == "*")
    connection.execute(delete(table).where(everything, table.c.kind != CoverageKind.INCIDENTS))
    saving = Saving(connection)
    for source, stretch in whole:
        for scope in _scopes_left(connection, source):
            saving.write([(source, replace(stretch, scope=scope))])
    saving.finish()


def _scopes_left(connection: Connection, source: str) -> list[str]:
    """The names of the services and repositories that a source still tells of."""
    columns = (tables.deployments.c.service_id, *_repository_columns())
    of_source = (select(c).where(c.table.c.source_id.in_(_ids([source]))) for c in columns)
    wanted = tables.names.c.id.in_(union(*of_source))
    return list(connection.scalars(select(tables.names.c.name).where(wanted)))


def _restart(
    connection: Connection,
    request: ForgetRequest,
    sources: Iterable[int],
    cursors: list[tuple[int, str]],
) -> None:
    """Have sources begin anew with what is forgotten, and void what they are reading just now."""
    table = tables.cursors
    for source, scope in cursors:
        same = (table.c.source_id == source) & (table.c.scope == scope)
        connection.execute(delete(table).where(same))
    for table in _OF_SOURCES if request.source is not None else ():
        connection.execute(delete(table).where(table.c.source_id.in_(list(sources))))
    if request.repository:
        _narrow_coverage(connection, sources)
    for name in request.repository:  # an error may name it
        told = tables.collections.c.error.contains(name, autoescape=True)
        hidden = func.replace(tables.collections.c.error, name, "…")
        connection.execute(update(tables.collections).where(told).values(error=hidden))
    times = str(times_forgotten(connection) + 1)
    connection.execute(delete(meta).where(meta.c.key == _TIMES))
    connection.execute(meta.insert(), [{"key": _TIMES, "value": times}])


def _sweep(connection: Connection) -> None:
    """Remove the names and the key of authors that nothing refers to any more."""
    table = tables.names
    used = [select(column).where(column.is_not(None)) for column in _columns(Holds.NAME)]
    connection.execute(delete(table).where(table.c.id.not_in(union(*used))))
    authors = (select(c).where(c.is_not(None)).limit(1) for c in _columns(Holds.AUTHOR))
    if any(connection.execute(query).first() for query in authors):
        return
    if not any(len(chunk.columns.author_keys) for chunk in read_chunks(connection)):
        key = meta.c.key == "author_key"
        connection.execute(update(meta).where(key).values(value=token_hex(32)))


def _columns(holds: Holds) -> list[Any]:
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if column.info.get("holds") is holds
    ]
