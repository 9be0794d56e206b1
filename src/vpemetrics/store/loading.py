"""Rows into records, in the order in which they are exported."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, select

from vpemetrics.records import (
    RECORD_TYPES,
    AnyRecord,
    AuthorKind,
    Commit,
    Coverage,
    CoverageKind,
    Sourced,
    Status,
    Verdict,
)
from vpemetrics.store import tables
from vpemetrics.store.commit_chunks import find_commit, read_chunks
from vpemetrics.store.commit_columns import join
from vpemetrics.store.mapping import SHAPES, Shape
from vpemetrics.store.shas import unpack, unpack_one
from vpemetrics.store.tables import Holds
from vpemetrics.window import from_micros

_ROWS_AT_ONCE = 5_000
_CHOICES: Mapping[str, Callable[[str], Any]] = {
    "author_kind": lambda text: AuthorKind(text) if text else None,
    "status": Status,
    "verdict": Verdict,
}

Values = Sequence[Any]
Texts = Mapping[int | None, str | None]


def load(connection: Connection, kind: str) -> Iterator[Sourced]:
    """Every record of a kind with its source, ordered by source and key."""
    cls = RECORD_TYPES[kind]
    if cls is Coverage:
        yield from ((record.source, record) for record in load_coverage(connection))
        return
    if cls is Commit:
        yield from _commits(connection)
        return
    shape = SHAPES[cls]
    names = load_names(connection)
    query = _select_in_order(shape)
    sql = str(query.compile(dialect=connection.dialect))
    # As plain SQL, because column by column is several times quicker than row by row.
    result = connection.exec_driver_sql(sql, execution_options={"stream_results": True})
    for rows in result.partitions(_ROWS_AT_ONCE):
        columns = dict(zip(query.selected_columns.keys(), zip(*rows, strict=True), strict=True))
        yield from _records(shape, names, columns)


def load_one(connection: Connection, kind: str, id_: int) -> AnyRecord | None:
    """The record of a store's id, of a commit its own; None where it was not collected."""
    if kind == Commit.KIND:
        return _commit(connection, id_)
    shape = SHAPES[RECORD_TYPES[kind]]
    query = _select_in_order(shape).where(shape.table.c.id == id_).limit(1)
    values = {name: [value] for name, value in _plain_row(connection, query).items()}
    found = _records(shape, load_names(connection), values) if values else ()
    return next((record for _, record in found), None)


def _commit(connection: Connection, id_: int) -> Commit | None:
    found = find_commit(connection, id_)
    if found is None:
        return None
    chunk, row = found
    columns = chunk.columns.take(np.array([row]))
    return next(columns.records(str(load_names(connection)[chunk.repository_id])))


def _commits(connection: Connection) -> Iterator[Sourced]:
    """Every commit, ordered by source, repository and sha; a repository at a time is held."""
    names, table = load_names(connection), tables.commit_chunks.c
    homes = connection.execute(select(table.source_id, table.repository_id).distinct()).all()
    for source, repository in sorted(homes, key=lambda home: [str(names[id_]) for id_ in home]):
        where = f"source_id = {source} AND repository_id = {repository}"
        commits = join([chunk.columns for chunk in read_chunks(connection, where)])
        texts = commits.shas.texts()
        order = np.array(sorted(range(len(commits)), key=texts.__getitem__), dtype=np.int64)
        for commit in commits.take(order).records(str(names[repository])):
            yield str(names[source]), commit


def _plain_row(connection: Connection, query: Select[Any]) -> dict[str, Any]:
    """The first row as the database has it: moments are counts, names are ids."""
    options = {"literal_binds": True}
    sql = str(query.compile(dialect=connection.dialect, compile_kwargs=options))
    row = connection.exec_driver_sql(sql).first()
    return dict(zip(query.selected_columns.keys(), row, strict=True)) if row else {}


def load_names(connection: Connection) -> Texts:
    """Every interned name by its id, and None for none."""
    rows = connection.execute(select(tables.names.c.id, tables.names.c.name))
    return {None: None} | {row.id: row.name for row in rows}


def load_coverage(connection: Connection) -> list[Coverage]:
    """Every covered stretch, ordered by source, scope, kind and start."""
    table, name = tables.coverage, tables.names.c.name
    told = (table.c[column] for column in ("scope", "kind", "start_at", "end_at", "from_rows"))
    query = (
        select(name, *told)
        .join(tables.names, tables.names.c.id == table.c.source_id)
        .order_by(name, table.c.scope, table.c.kind, table.c.start_at, table.c.from_rows)
    )
    return [
        Coverage(
            source=source,
            scope=scope,
            kind=CoverageKind(kind),
            start=start,
            end=end,
            from_rows=bool(from_rows),
        )
        for source, scope, kind, start, end, from_rows in connection.execute(query)
    ]


class LastCollection(NamedTuple):
    """The last collection of a source; `error` is None if all of it went well."""

    started_at: datetime
    finished_at: datetime
    succeeded_at: datetime | None
    error: str | None


def load_begun(connection: Connection) -> set[str]:
    """The names of the sources that a collection has saved anything of, to its end or not."""
    table, name = tables.cursors, tables.names.c.name
    query = select(name).join(table, tables.names.c.id == table.c.source_id).distinct()
    return set(connection.scalars(query))


def load_collections(connection: Connection) -> dict[str, LastCollection]:
    """The last collection of each source by the source's name, in the order of names."""
    table, name = tables.collections, tables.names.c.name
    said = (table.c[column] for column in LastCollection._fields)
    query = select(name, *said).join(tables.names, tables.names.c.id == table.c.source_id)
    found = connection.execute(query.order_by(name))
    return {source: LastCollection(*rest) for source, *rest in found}


def load_left_out(connection: Connection) -> dict[str, dict[str, str]]:
    """The records that sources were left out of by their last collections: source → name → why."""
    table, name = tables.cursors, tables.names.c.name
    query = select(name, table.c.position).join(
        tables.names, tables.names.c.id == table.c.source_id
    )
    found = connection.execute(query.where(table.c.scope == tables.LEFT_OUT).order_by(name))
    return {source: json.loads(position) for source, position in found}


def _select_in_order(shape: Shape) -> Select[Any]:
    table, names = shape.table, tables.names
    query = select(table).join(names, names.c.id == table.c.source_id)
    return query.order_by(names.c.name, table.c.key)


def _records(shape: Shape, names: Texts, columns: Mapping[str, Values]) -> Iterator[Sourced]:
    fields: dict[str, Values] = {}
    for column in shape.columns:
        holds = column.info["holds"]
        read = _CHOICES[column.name] if holds == Holds.CHOICE else _reader(holds, names)
        fields[shape.field_of(column)] = list(map(read, columns[column.name]))
    fields = {name: values for name, values in fields.items() if name not in shape.computed}
    for source, values in zip(
        columns["source_id"], zip(*fields.values(), strict=True), strict=True
    ):
        yield str(names[source]), shape.record(**dict(zip(fields, values, strict=True)))


def _reader(holds: Holds, names: Texts) -> Callable[[Any], Any]:
    """The function that turns a stored value of this sort into a field's value."""
    readers: Mapping[Holds, Callable[[Any], Any]] = {
        Holds.NAME: names.__getitem__,
        Holds.SHA: unpack_one,
        Holds.SHAS: lambda packed: () if packed is None else unpack(packed),
        Holds.INSTANT: lambda count: None if count is None else from_micros(count),
        Holds.TRUTH: lambda value: None if value is None else bool(value),
        Holds.LIST: lambda text: tuple(json.loads(text)) if text else (),
        Holds.OPTIONAL_LIST: lambda text: None if text is None else tuple(json.loads(text)),
    }
    return readers.get(holds, lambda value: value)
