"""The commits of a save on their way into chunks.

A chunk is written anew when commits come to it, until it is full, and when a source corrects one
of its commits. So there is nothing to merge later, and many small saves leave what one would.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from vpemetrics.lineage.graph import Ints, find
from vpemetrics.lineage.rows import AUTHOR_KINDS
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import Commit, Sourced
from vpemetrics.store.commit_columns import (
    CommitColumns,
    commit_columns,
    decode,
    encode,
    join,
)
from vpemetrics.store.interning import Interned
from vpemetrics.store.shas import Shas
from vpemetrics.store.tables import commit_chunks

FULL: Final = 8_192
"""The commits of a full chunk: few enough to write anew for one more, many to read at once."""
_PENDING: Final = 131_072
"""The commits that a save holds before it writes them."""
_CODES: Final = {kind: code for code, kind in enumerate(AUTHOR_KINDS)}


@dataclass
class _Stored:
    """The ids that are stored of a repository by a source, in order; of each the chunk and row."""

    ids: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    chunks: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rows: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    last: int | None = None
    """The chunk to which more is added."""

    def add(self, ids: Ints, chunk: int, first: int) -> None:
        """Note commits that are stored in a chunk, from a row on."""
        order = np.argsort(ids, kind="stable")
        places = np.searchsorted(self.ids, ids[order])
        self.ids = np.insert(self.ids, places, ids[order])
        self.chunks = np.insert(self.chunks, places, chunk)
        self.rows = np.insert(self.rows, places, first + order)
        self.last = chunk


class CommitSaving:
    """The commits of one save, on their way into chunks."""

    def __init__(
        self,
        connection: Connection,
        batch: int,
        names: Interned,
        hide: Callable[[str | None], str | None],
    ) -> None:
        self._connection, self._batch = connection, batch
        self._names, self._hide = names, hide
        self._pending: dict[tuple[int, int], list[CommitColumns]] = {}
        self._stored: dict[tuple[int, int], _Stored] = {}
        self._count = self._changed = 0
        self._next = (connection.scalar(select(func.max(commit_chunks.c.id))) or 0) + 1

    def add_records(self, pairs: Sequence[Sourced]) -> None:
        """Save commits, each with its source."""
        self.add(RecordColumns.of(Commit, pairs))

    def add(self, told: RecordColumns) -> None:
        """Save commits, those of each repository and source together."""
        names = list(zip(told.sources, told.values["repository"], strict=True))
        homes = dict.fromkeys(names)
        self._names.learn(name for home in homes for name in home)
        for source, repository in homes:
            home = self._names.ids[source], self._names.ids[repository]
            here = told
            if len(homes) > 1:
                here = told.take(
                    [row for row, name in enumerate(names) if name == (source, repository)]
                )
            self._pending.setdefault(home, []).append(self._columns(here))
        self._count += len(told)
        if self._count >= _PENDING:
            self._write()

    def _columns(self, told: RecordColumns) -> CommitColumns:
        values = told.values
        kinds = list(map(_CODES.__getitem__, values["author_kind"]))
        return commit_columns(
            shas=values["sha"],
            parents=values["parents"],
            reverts=values["reverts_sha"],
            picks=values["picked_from_sha"],
            authors=list(map(self._hide, values["author"])),
            kinds=np.array(kinds, dtype=np.int64),
            marks=values["marks"],
            paths=values["paths"],
            authored_at=told.moments["authored_at"],
            committed_at=told.moments["committed_at"],
        )

    def finish(self) -> int:
        """Write what is not written yet; return how many commits are new or say something new."""
        self._write()
        return self._changed

    def _write(self) -> None:
        for (source, repository), parts in self._pending.items():
            stored = self._stored_of(source, repository)
            told = _last_of_each(join(parts))
            places = find(stored.ids, told.ids)
            known, new = np.flatnonzero(places >= 0), np.flatnonzero(places < 0)
            self._correct(stored, told, known, places[known])
            if len(new):
                self._append(source, repository, stored, told.take(new))
        self._pending.clear()
        self._count = 0

    def _stored_of(self, source: int, repository: int) -> _Stored:
        """The ids that are stored of a repository by a source, looked up once."""
        key = source, repository
        if key not in self._stored:
            table, found = commit_chunks.c, _Stored()
            query = select(table.id, table.count, table.shas).where(
                table.source_id == source, table.repository_id == repository
            )
            for id_, count, shas in self._connection.execute(query.order_by(table.id)):
                found.add(Shas.unpack(shas).ids[:count], id_, 0)
            self._stored[key] = found
        return self._stored[key]

    def _correct(self, stored: _Stored, told: CommitColumns, rows: Ints, places: Ints) -> None:
        """Have the later word count on commits that were told before."""
        for chunk in np.unique(stored.chunks[places]).tolist():
            here = stored.chunks[places] == chunk
            before = self._load(chunk)
            now, at = told.take(rows[here]), stored.rows[places[here]]
            differs = (before.signatures()[at] != now.signatures()).any(axis=1)
            if not differs.any():
                continue
            order = np.arange(len(before))
            order[at[differs]] = len(before) + np.flatnonzero(differs)
            self._replace(chunk, join([before, now]).take(order))
            self._changed += int(differs.sum())

    def _append(self, source: int, repository: int, stored: _Stored, new: CommitColumns) -> None:
        """Fill up the last chunk, and begin others."""
        self._changed += len(new)
        ids, done, written = new.ids, 0, 0
        if stored.last is not None and (room := self._room(stored)):
            before = self._load(stored.last)
            written = min(room, len(new))
            first = len(before)
            part = new if written == len(new) else new.take(np.arange(written))
            self._replace(stored.last, join([before, part]))
            stored.add(ids[:written], stored.last, first)
        for done in range(written, len(new), FULL):
            part = new.take(np.arange(done, min(done + FULL, len(new))))
            self._insert(source, repository, part)
            stored.add(part.ids, self._next - 1, 0)

    def _room(self, stored: _Stored) -> int:
        return max(FULL - int((stored.chunks == stored.last).sum()), 0)

    def _load(self, chunk: int) -> CommitColumns:
        table = commit_chunks.c
        query = select(table.shas, table.data).where(table.id == chunk)
        shas, data = self._connection.execute(query).one()
        return decode(shas, data)

    def _insert(self, source: int, repository: int, columns: CommitColumns) -> None:
        row = {"id": self._next, "source_id": source, "repository_id": repository}
        self._connection.execute(insert(commit_chunks), row | _bytes(columns, self._batch))
        self._next += 1

    def _replace(self, chunk: int, columns: CommitColumns) -> None:
        same = commit_chunks.c.id == chunk
        values = _bytes(columns, self._batch)
        self._connection.execute(update(commit_chunks).where(same).values(values))


def _bytes(columns: CommitColumns, batch: int) -> dict[str, Any]:
    shas, data = encode(columns)
    return {"count": len(columns), "batch": batch, "shas": shas, "data": data}


def _last_of_each(told: CommitColumns) -> CommitColumns:
    """Commits of which the last counts that was told, where one was told again."""
    ids = told.ids
    _, last = np.unique(ids[::-1], return_index=True)
    if len(last) == len(ids):
        return told
    return told.take(np.sort(len(ids) - 1 - last))
