"""The tables that lineage fills: blocks of columns, and notes on what it has seen.

They can be made anew from the facts at any time; nothing here is a fact.
`derived_layouts` says what a block holds, `derived_blocks` reads and writes them.
"""

import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Column, Connection, LargeBinary, Table, delete, insert, select

from vpemetrics.store.interning import Interned
from vpemetrics.store.tables import Id, Words, meta, metadata, names

traced = Table(
    "traced",
    metadata,
    Column("service_id", Id, primary_key=True, autoincrement=False),
    Column("fingerprint", Words, nullable=False),
    Column("attribution", Words, nullable=False),
    Column("repositories", Words, nullable=False),
    Column("problems", Words, nullable=False),
)

# The digest is of data and texts. It tells whether a block would be written as it is, and
# whether it still is as it was written.
derived = Table(
    "derived",
    metadata,
    Column("service_id", Id, primary_key=True, autoincrement=False),
    Column("part", Words, primary_key=True),
    Column("period", Id, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("texts", Words),
)

TABLES = (traced, derived)


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


def forget(connection: Connection, services: Collection[int] | None = None) -> None:
    """Remove what was derived for services; for all of them if none are named."""
    for table in TABLES:
        gone = delete(table)
        if services is not None:
            gone = gone.where(table.c.service_id.in_(list(services)))
        connection.execute(gone)


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
