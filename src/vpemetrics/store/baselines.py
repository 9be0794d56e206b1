"""The baselines of charts that are complete: once stored, their limits do not move any more.

What a baseline was made from may change later, or be traced anew: it stays, until the rules that
gave its points their meaning change. `recompute` keeps it too.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Column, Connection, Float, Integer, Table, delete, select

from vpemetrics.store.bulk import insert_rows
from vpemetrics.store.tables import Words, metadata

baselines = Table(
    "baselines",
    metadata,
    Column("definition_id", Words, primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("scope_kind", Words, primary_key=True),
    Column("scope", Words, primary_key=True),
    Column("since", Words, primary_key=True),
    Column("rules", Words, nullable=False),
    Column("first", Words, nullable=False),
    Column("last", Words, nullable=False),
    Column("points", Integer, nullable=False),
    Column("center", Float, nullable=False),
    Column("low", Float),
    Column("high", Float),
)

_KEY = ("definition_id", "kind", "scope_kind", "scope", "since")


class StoredBaseline(NamedTuple):
    """A locked baseline; dates as ISO texts, `since` empty where no step began it.

    `rules` is the digest of what the configuration said about the scope.
    """

    definition_id: str
    kind: str
    scope_kind: str
    scope: str
    since: str
    rules: str
    first: str
    last: str
    points: int
    center: float
    low: float | None
    high: float | None

    @property
    def key(self) -> tuple[str, ...]:
        """The key that there is one baseline for."""
        return (self.definition_id, self.kind, self.scope_kind, self.scope, self.since)


def load_baselines(connection: Connection) -> list[StoredBaseline]:
    """Every baseline there is."""
    return [StoredBaseline(*row) for row in connection.execute(select(baselines))]


def save_baselines(connection: Connection, found: Iterable[StoredBaseline]) -> None:
    """Store baselines; one that is there already under the same rules stays as it is."""
    there = {one.key: one.rules for one in load_baselines(connection)}
    new = [one for one in found if there.get(one.key) != one.rules]
    for one in new:
        same = (baselines.c[name] == value for name, value in zip(_KEY, one.key, strict=True))
        connection.execute(delete(baselines).where(*same))
    insert_rows(connection, baselines, new)
