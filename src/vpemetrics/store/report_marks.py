"""The week a schedule reported on last, so that another process does not do it again."""

from sqlalchemy import Connection, delete, insert, select

from vpemetrics.store.tables import meta

_KEY = "week_reported"


def reported_week(connection: Connection) -> str:
    """The label of the last week that was reported on, as in `2026-W36`; empty if none was."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == _KEY)) or ""


def note_reported(connection: Connection, week: str) -> None:
    """Note that a week was reported on."""
    connection.execute(delete(meta).where(meta.c.key == _KEY))
    connection.execute(insert(meta), [{"key": _KEY, "value": week}])
