"""The audit log: who decided what and when, about the data and about what figures mean.

Decisions of triage are kept where lineage reads them and shown here beside the others, so that
none is kept twice. An entry holds no secret, and no name of what was forgotten by it.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from vpemetrics.records import AuditEntry, Triage
from vpemetrics.store import loading, tables
from vpemetrics.store.saving import Saving
from vpemetrics.window import format_instant

SOURCE: Final = "vpemetrics"
"""The source of the entries."""

FORGET: Final = "forget"
RETENTION: Final = "retention"
SETTING: Final = "setting"

OF_SOURCE: Final = "source "
OF_REPOSITORY: Final = "repository "
"""The beginnings of subjects that were forgotten."""

_SETTINGS: Final = "settings"


def record(connection: Connection, *entries: AuditEntry) -> None:
    """Add entries, within a transaction; they are no facts, so lineage has nothing to catch up."""
    Saving(connection).write((SOURCE, entry) for entry in entries)


def load(connection: Connection) -> list[AuditEntry]:
    """Load every entry, decisions of triage among them, the newest first."""
    kept = [entry for _, entry in loading.load(connection, AuditEntry.KIND)]
    decided = [_of_triage(triage) for _, triage in loading.load(connection, Triage.KIND)]
    entries = [entry for entry in (*kept, *decided) if isinstance(entry, AuditEntry)]
    return sorted(entries, key=lambda entry: (entry.when, entry.key), reverse=True)


def unknown(connection: Connection, keys: Collection[str]) -> list[str]:
    """Those of some entries' keys that the log does not have."""
    known = set(connection.scalars(select(tables.audit.c.key)))
    return [key for key in keys if key not in known]


def forgotten_sources(connection: Connection) -> dict[str, datetime]:
    """The moment at which each source was forgotten last, by its name."""
    table = tables.audit
    query = select(table.c.subject, table.c.at).where(
        table.c.action == FORGET, table.c.subject.startswith(OF_SOURCE)
    )
    rows = connection.execute(query.order_by(table.c.at))
    return {subject.removeprefix(OF_SOURCE): at for subject, at in rows}


def _of_triage(triage: object) -> AuditEntry | None:
    if not isinstance(triage, Triage):
        return None
    caused = f"caused by {triage.cause}" if triage.cause else None
    restored = f"restored {format_instant(triage.restored_at)}" if triage.restored_at else None
    return AuditEntry(
        when=triage.when,
        action=f"{Triage.KIND} {triage.verdict}",
        subject=triage.record,
        what="; ".join(filter(None, (caused, restored, triage.why))) or None,
        who=triage.who,
    )


def load_settings(connection: Connection) -> Mapping[str, str] | None:
    """Load the settings that figures were made by last; None before the first."""
    query = select(tables.meta.c.value).where(tables.meta.c.key == _SETTINGS)
    text = connection.scalar(query)
    return None if text is None else dict(json.loads(text))


def save_settings(connection: Connection, settings: Mapping[str, str]) -> None:
    """Remember the settings that figures are made by."""
    meta = tables.meta
    connection.execute(delete(meta).where(meta.c.key == _SETTINGS))
    text = json.dumps(settings, ensure_ascii=False, sort_keys=True)
    connection.execute(insert(meta), [{"key": _SETTINGS, "value": text}])


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The settings that differ, each with what it was and what it is."""
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield name, f"{before.get(name, 'none')} → {now.get(name, 'none')}"


def hide(connection: Connection, names: Iterable[str], hidden: str) -> None:
    """Put another text where entries and settings name what is forgotten."""
    words = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    named = re.compile(rf"(?<![\w./-])(?:{words})(?![\w/-])")
    table, meta = tables.audit, tables.meta
    for row in connection.execute(select(table)).all():
        kept = {"key": row.key, "subject": row.subject, "what": row.what}
        texts = {name: text and named.sub(hidden, text) for name, text in kept.items()}
        if texts != kept:
            same = (table.c.source_id == row.source_id) & (table.c.key == row.key)
            connection.execute(table.update().where(same).values(texts))
    is_settings = meta.c.key == _SETTINGS
    text = connection.scalar(select(meta.c.value).where(is_settings))
    if text:
        value = named.sub(hidden, text)
        connection.execute(meta.update().where(is_settings).values(value=value))
