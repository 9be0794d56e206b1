"""Rows into records, in the order in which they are exported."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from vpemetrics.records import (
    RECORD_TYPES,
    AnyRecord,
    Commit,
    Coverage,
    CoverageKind,
    Sourced,
    Status,
    Verdict,
)
from vpemetrics.store import tables
from vpemetrics.store.interning import matching
from vpemetrics.store.mapping import SHAPES, Shape
from vpemetrics.store.tables import Holds
from vpemetrics.window import from_micros

_ROWS_AT_ONCE = 5_000
_CHOICES: Mapping[str, Callable[[str], Any]] = {"status": Status, "verdict": Verdict}

Values = Sequence[Any]
Texts = Mapping[int | None, str | None]


def load(connection: Connection, kind: str) -> Iterator[Sourced]:
    """Every record of a kind with its source, ordered by source and key."""
    cls = RECORD_TYPES[kind]
    if cls is Coverage:
        yield from ((record.source, record) for record in load_coverage(connection))
        return
    shape = SHAPES[cls]
    names = load_names(connection)
    query = _select_in_order(shape)
    sql = str(query.compile(dialect=connection.dialect))
    # As plain SQL, because column by column is several times quicker than row by row.
    result = connection.exec_driver_sql(sql, execution_options={"stream_results": True})
    for rows in result.partitions(_ROWS_AT_ONCE):
        columns = dict(zip(query.selected_columns.keys(), zip(*rows, strict=True), strict=True))
        yield from _records(connection, shape, names, columns)


def load_one(connection: Connection, kind: str, id_: int) -> AnyRecord | None:
    """The record of a store's id, of a commit its sha's; None where it was not collected."""
    shape = SHAPES[RECORD_TYPES[kind]]
    column = shape.table.c["id" if "id" in shape.table.c else "sha_id"]
    query = _select_in_order(shape).where(column == id_).limit(1)
    values = {name: [value] for name, value in _plain_row(connection, query).items()}
    found = _records(connection, shape, load_names(connection), values) if values else ()
    return next((record for _, record in found), None)


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
    query = (
        select(name, table.c.scope, table.c.kind, table.c.start_at, table.c.end_at)
        .join(tables.names, tables.names.c.id == table.c.source_id)
        .order_by(name, table.c.scope, table.c.kind, table.c.start_at)
    )
    return [
        Coverage(source=source, scope=scope, kind=CoverageKind(kind), start=start, end=end)
        for source, scope, kind, start, end in connection.execute(query)
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
    table, names, shas = shape.table, tables.names, tables.shas
    query = select(table).join(names, names.c.id == table.c.source_id)
    if shape.record is not Commit:
        return query.order_by(names.c.name, table.c.key)
    repositories = names.alias()
    query = query.join(shas, shas.c.id == table.c.sha_id)
    query = query.join(repositories, repositories.c.id == table.c.repository_id)
    return query.order_by(names.c.name, shas.c.sha, repositories.c.name)


def _records(
    connection: Connection, shape: Shape, names: Texts, columns: Mapping[str, Values]
) -> Iterator[Sourced]:
    shas = _shas(connection, shape, columns)
    fields: dict[str, Values] = {}
    for column in shape.columns:
        holds = column.info["holds"]
        read = _CHOICES[column.name] if holds == Holds.CHOICE else _reader(holds, names, shas)
        fields[shape.field_of(column)] = list(map(read, columns[column.name]))
    if shape.record is Commit:
        fields = _with_parents(fields)
    fields = {name: values for name, values in fields.items() if name not in shape.computed}
    for source, values in zip(
        columns["source_id"], zip(*fields.values(), strict=True), strict=True
    ):
        yield str(names[source]), shape.record(**dict(zip(fields, values, strict=True)))


def _reader(holds: Holds, names: Texts, shas: Texts) -> Callable[[Any], Any]:
    """The function that turns a stored value of this sort into a field's value."""
    readers: Mapping[Holds, Callable[[Any], Any]] = {
        Holds.NAME: names.__getitem__,
        Holds.SHA: shas.__getitem__,
        Holds.INSTANT: lambda count: None if count is None else from_micros(count),
        Holds.SHAS: lambda ids: tuple(shas[int(id_)] for id_ in (ids or "").split()),
        Holds.TRUTH: lambda value: None if value is None else bool(value),
        Holds.LIST: lambda text: tuple(json.loads(text)) if text else (),
        Holds.OPTIONAL_LIST: lambda text: None if text is None else tuple(json.loads(text)),
    }
    return readers.get(holds, lambda value: value)


def _shas(connection: Connection, shape: Shape, columns: Mapping[str, Values]) -> Texts:
    """The shas that these rows refer to, by id, and None for none."""
    ids: set[int | None] = set()
    for column in shape.columns:
        match column.info["holds"]:
            case Holds.SHA:
                ids.update(columns[column.name])
            case Holds.SHAS:
                ids.update(
                    map(
                        int, chain.from_iterable(map(str.split, filter(None, columns[column.name])))
                    )
                )
    wanted = [id_ for id_ in ids if id_ is not None]
    table = tables.shas
    found = matching(connection, wanted=table.c.sha, given=table.c.id, values=wanted)
    return {None: None} | found


def _with_parents(fields: Mapping[str, Values]) -> dict[str, Values]:
    numbered = zip(fields["parent1_id"], fields["parent2_id"], fields["more_parents"], strict=True)
    parents = [
        tuple(parent for parent in (first, second, *more) if parent is not None)
        for first, second, more in numbered
    ]
    return {**fields, "parents": parents}
