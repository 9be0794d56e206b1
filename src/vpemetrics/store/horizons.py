"""Horizons: the moments before which sources were collected, and what they said is forgotten.

A source's cursors know that it was read, so it would neither be asked again nor say that
anything is missing: what reaches back behind its horizon is left out of what is saved.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, select, union

from vpemetrics.records import AnyRecord, Change, Commit, Coverage
from vpemetrics.store import tables
from vpemetrics.store.bulk import upsert_rows
from vpemetrics.store.mapping import SHAPES, Shape
from vpemetrics.store.tables import Holds
from vpemetrics.window import from_micros, to_micros

_NO_EVENT: Final = ("updated_at",)
"""Columns of moments at which nothing happened but that something was written."""


def moments(shape: Shape) -> list[str]:
    """The columns that say when what a kind of record tells of happened."""
    return [
        column.name
        for column in shape.columns
        if column.info["holds"] is Holds.INSTANT and column.name not in _NO_EVENT
    ]


def load_horizon(connection: Connection, source: str) -> datetime | None:
    """The moment before which nothing of a source is saved; None if there is none."""
    table, names = tables.horizons, tables.names
    query = select(table.c.before_at).join(names, names.c.id == table.c.source_id)
    found: datetime | None = connection.scalar(query.where(names.c.name == source))
    return found


def raise_horizons(connection: Connection, before: datetime) -> None:
    """Let no source that was collected say again what happened before a moment."""
    table = tables.horizons
    collected = union(select(tables.cursors.c.source_id), select(tables.collections.c.source_id))
    known: Mapping[int, datetime] = {
        row.source_id: row.before_at for row in connection.execute(select(table))
    }
    rows = [
        (source, max(to_micros(before), to_micros(known.get(source, before))))
        for source in connection.scalars(collected)
    ]
    upsert_rows(connection, table, list(table.c), ["source_id"], rows)


def within(records: Iterable[AnyRecord], horizon: datetime) -> Iterator[AnyRecord]:
    """The records of what reaches behind the horizon, coverage cut off there.

    Commits of a change that does are kept with it, where they come together.
    """
    together = records if isinstance(records, list | tuple) else ()
    listed = {
        sha
        for change in together
        if isinstance(change, Change) and not is_before(change, horizon)
        for sha in change.commit_shas
    }
    for record in records:
        if isinstance(record, Coverage):
            if record.end > horizon:
                yield _cut(record, horizon)
        elif not is_before(record, horizon) or (
            isinstance(record, Commit) and record.sha in listed
        ):
            yield record


def is_before(record: AnyRecord, moment: datetime) -> bool:
    """Tell whether the last that is known of a record happened before a moment."""
    known = [at for read in _READERS[type(record)] if (at := read(record)) is not None]
    return bool(known) and max(known) < moment


def _readers(cls: type[AnyRecord]) -> list[Callable[[Any], datetime | None]]:
    if cls is Commit:
        return [attrgetter("authored_at"), attrgetter("committed_at")]
    shape = SHAPES[cls]
    return [attrgetter(shape.fields.get(name, name)) for name in moments(shape)]


def _cut(stretch: Coverage, horizon: datetime) -> Coverage:
    return replace(stretch, start=max(stretch.start, from_micros(to_micros(horizon))))


_READERS: Final = {cls: _readers(cls) for cls in (Commit, *SHAPES)}
