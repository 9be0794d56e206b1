"""The week a schedule reported on last, and the day that facts are kept from.

Both keep another process from doing the same again.
"""

from sqlalchemy import Connection, delete, insert, select

from vpemetrics.store.tables import meta

_WEEK = "week_reported"
_KEPT_FROM = "kept_from"


def reported_week(connection: Connection) -> str:
    """The label of the last week that was reported on, as in `2026-W36`; empty if none was."""
    return _load(connection, _WEEK)


def note_reported(connection: Connection, week: str) -> None:
    """Note that a week was reported on."""
    _save(connection, _WEEK, week)


def kept_from(connection: Connection) -> str:
    """The date before which retention removed everything last; empty if it never did."""
    return _load(connection, _KEPT_FROM)


def note_kept_from(connection: Connection, day: str) -> None:
    """Note that retention removed everything before a date."""
    _save(connection, _KEPT_FROM, day)


def _load(connection: Connection, key: str) -> str:
    return connection.scalar(select(meta.c.value).where(meta.c.key == key)) or ""


def _save(connection: Connection, key: str, value: str) -> None:
    connection.execute(delete(meta).where(meta.c.key == key))
    connection.execute(insert(meta), [{"key": key, "value": value}])
