"""The tables lineage fills, and what it has seen; `derived_rows` fills them.

They can be made anew from the facts at any time; nothing here is a fact.
An `item` is a change under one integer: a pull request's id, or minus a direct commit's sha id.
"""

import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    SmallInteger,
    Table,
    delete,
    insert,
    select,
    text,
)

from vpemetrics.store.interning import Interned
from vpemetrics.store.tables import Id, Words, meta, metadata, names

# Times are plain integers here: lineage counts in microseconds already.
_Time = Id

traced = Table(
    "traced",
    metadata,
    Column("service_id", Id, primary_key=True, autoincrement=False),
    Column("fingerprint", Words, nullable=False),
    Column("attribution", Words, nullable=False),
    Column("repositories", Words, nullable=False),
    Column("problems", Words, nullable=False),
    # What of it was written, so that only what comes out otherwise is written again.
    Column("digests", Words, nullable=False),
)

# Its id is that of the record that made it complete, so it stays whatever else comes. `ordinal` is
# its place among those of its service that finished at the same moment, which few do.
deployed = Table(
    "deployed",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("service_id", Id, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", Words, nullable=False),
    Column("started_at", _Time),
    Column("finished_at", _Time, nullable=False),
    Column("sha_id", Id),
    Column("rolled_back", SmallInteger, nullable=False),
    Column("first", SmallInteger, nullable=False),
    Column("ships", SmallInteger, nullable=False),
    Column("unplanned", Words),
    Column("removed_id", Id),
    Index("ix_deployed_service_id_finished_at", "service_id", "finished_at"),
    # With what weeks are counted by, so that counting them reads nothing else.
    Index("ix_deployed_finished_at", "finished_at", "service_id", "kind", "unplanned", "ordinal"),
)

deployed_parts = Table(
    "deployed_parts",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("deployed_id", Id, nullable=False, index=True),
    Column("service_id", Id, nullable=False, index=True),
)

shipped = Table(
    "shipped",
    metadata,
    Column("service_id", Id, nullable=False, index=True),
    Column("deployed_id", Id, nullable=False, index=True),
    Column("item", Id, nullable=False, index=True),
    Column("finished_at", _Time, nullable=False, index=True),
    Column("start_at", _Time),
    Column("more_starts", Words),
    Column("merged_at", _Time),
    Column("first_at", _Time),
    Column("at_merge", SmallInteger, nullable=False),
    Column("reason", Words),
    # The few that were deployed from their branch, before they were merged.
    Index(
        "ix_shipped_before_merge",
        "merged_at",
        sqlite_where=text("merged_at > finished_at"),  # PostgreSQL's would cost 40 ms to import
    ),
)

waiting = Table(
    "waiting",
    metadata,
    Column("service_id", Id, nullable=False, index=True),
    Column("change_id", Id, nullable=False, index=True),
    Column("reason", Words),
)

evidence = Table(
    "evidence",
    metadata,
    Column("service_id", Id, nullable=False, index=True),
    Column("deployed_id", Id, index=True),
    Column("incident_id", Id, index=True),
    Column("grade", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("restored_by", Id),
    Column("chosen", SmallInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
)

TABLES = (traced, deployed, deployed_parts, shipped, waiting, evidence)


class Traced(NamedTuple):
    """Notes on a service's last tracing."""

    fingerprint: str
    attribution: str
    repositories: tuple[str, ...]
    problems: dict[str, list[str]]


def load_traced(connection: Connection) -> dict[int, Traced]:
    """Load the notes on what was traced, by the id of the service's name."""
    rows = connection.execute(
        select(
            traced.c.service_id,
            traced.c.fingerprint,
            traced.c.attribution,
            traced.c.repositories,
            traced.c.problems,
        )
    )
    return {
        row[0]: Traced(row[1], row[2], tuple(json.loads(row[3])), json.loads(row[4]))
        for row in rows
    }


def load_digests(connection: Connection) -> dict[int, dict[str, str]]:
    """Load the digests of what was written of each service, by part, by the id of its name."""
    rows = connection.execute(select(traced.c.service_id, traced.c.digests))
    return {service: json.loads(digests) for service, digests in rows}


def forget(connection: Connection, services: Collection[int] | None = None) -> None:
    """Remove what was derived for services; for all of them if none are named."""
    for table in TABLES:
        if services is None:
            connection.execute(delete(table))
            continue
        for service in services:
            connection.execute(delete(table).where(table.c.service_id == service))


def name_ids(connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The ids of names of services, given to those that have none yet."""
    interned, listed = Interned(connection, names, spell=str), list(wanted)
    interned.learn(listed)
    return {name: interned.ids[name] for name in listed}


def load_mark(connection: Connection) -> tuple[int, str]:
    """The last save that lineage has seen, and the digest of the rules it went by."""
    rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.in_(_MARKS)))
    found = {key: value for key, value in rows}  # noqa: C416 (rows are no pairs to mypy)
    return int(found.get(_MARKS[0], 0)), found.get(_MARKS[1], "")


def save_mark(connection: Connection, batch: int, rules: str) -> None:
    """Remember what lineage has seen."""
    forget_mark(connection)
    values = zip(_MARKS, (str(batch), rules), strict=True)
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in values])


def forget_mark(connection: Connection) -> None:
    """Have everything traced anew."""
    connection.execute(delete(meta).where(meta.c.key.in_(_MARKS)))


_MARKS = ("lineage_batch", "lineage_rules")
