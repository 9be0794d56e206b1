"""Marks that are yet to come: a clock was wrong when they were set, so they do not count.

Without that a single run in 2031 would say that all is collected, and reported on, until then.
"""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from vpemetrics.store import tables
from vpemetrics.store.loading import load_collections
from vpemetrics.window import is_yet_to_come


def latest_coverage(connection: Connection) -> datetime | None:
    """The latest moment that anything is covered to."""
    latest: datetime | None = connection.scalar(select(func.max(tables.coverage.c.end_at)))
    return latest


def cut_coverage(connection: Connection, now: datetime) -> None:
    """Let nothing be covered later than now."""
    table = tables.coverage
    connection.execute(delete(table).where(table.c.start_at >= now))
    connection.execute(update(table).where(table.c.end_at > now).values(end_at=now))


def future_collection(connection: Connection, source: str, now: datetime) -> datetime | None:
    """The moment of a source's last collection, if it is one that is yet to come."""
    last = load_collections(connection).get(source)
    if last is None:
        return None
    latest = max(filter(None, (last.started_at, last.finished_at, last.succeeded_at)))
    return latest if is_yet_to_come(latest, now) else None


def forget_collections(connection: Connection, source: str) -> None:
    """Forget that a source was ever collected, and how far; what it said stays."""
    names = tables.names
    id_ = select(names.c.id).where(names.c.name == source).scalar_subquery()
    for table in (tables.cursors, tables.collections):
        connection.execute(delete(table).where(table.c.source_id == id_))
