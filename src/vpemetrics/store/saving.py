"""Records into rows: what one save writes, in one transaction.

A chunk of records becomes columns, each column is turned into what the database holds,
and the columns become the tuples of one upsert. A row that is already there and says the
same is not touched, so its batch stays what it was.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Column, Connection, Table, bindparam, delete, select, update

from vpemetrics.records import AnyRecord, Commit, Coverage, Sourced
from vpemetrics.store import tables
from vpemetrics.store.bulk import upsert_columns
from vpemetrics.store.derived import forget_mark
from vpemetrics.store.interning import Interned
from vpemetrics.store.mapping import SHAPES, Shape
from vpemetrics.store.shas import pack_each
from vpemetrics.store.tables import Holds
from vpemetrics.store.texts import HIDDEN, clean, clean_texts, list_text
from vpemetrics.window import MISSING, Interval, from_micros, merge_intervals, to_micros

if TYPE_CHECKING:
    from vpemetrics.record_columns import Instants, RecordColumns
    from vpemetrics.store.commit_saving import CommitSaving

# No more than what we write ourselves: an address may begin so too.
_MARKED = re.compile(f"{HIDDEN}[0-9a-f]{{16}}")
MOST_LEFT_OUT = 1000

Values = Sequence[Any]
_NOTHING: Mapping[str, Values] = MappingProxyType({})


class Saved(NamedTuple):
    """The outcome of a save, by kind: how many records it was given, how many rows that changed."""

    records: Mapping[str, int]
    changed: Mapping[str, int]


class Saving:
    """One save: rows written for records, under one batch number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._batch = last_batch(connection) + 1
        self._names = Interned(connection, tables.names, spell=clean)
        self._hide = _Hiding(_author_key(connection))
        self._counts: Counter[str] = Counter()
        self._covered: dict[tuple[str, str, str, bool], set[Interval]] = defaultdict(set)
        self._changed: Counter[str] = Counter()

    def write(self, records: Iterable[Sourced]) -> None:
        """Save a chunk of records."""
        by_type: dict[type[AnyRecord], list[Sourced]] = defaultdict(list)
        for pair in records:
            by_type[type(pair[1])].append(pair)
        for cls, pairs in by_type.items():
            self._counts[cls.KIND] += len(pairs)
            if cls is Coverage:
                self._cover(pairs)
            elif cls is Commit:
                self._commits.add_records(pairs)
            else:
                self._write_facts(SHAPES[cls], pairs)

    def write_columns(self, told: "RecordColumns") -> None:
        """Save records that are columns."""
        shape = SHAPES.get(told.record)
        if told.record is Commit:
            self._counts[Commit.KIND] += len(told)
            self._commits.add(told)
            return
        if shape is None or shape.computed:  # few, or of which a column is made of several fields
            self.write(zip(told.sources, told.records(), strict=True))
            return
        self._counts[told.record.KIND] += len(told)
        fields = {column.name: shape.field_of(column) for column in shape.columns}
        values = {name: told.values[at] for name, at in fields.items() if at in told.values}
        moments = {
            name: _known(told.moments[at]) for name, at in fields.items() if at in told.moments
        }
        self._write_rows(shape, {**values, "source_id": told.sources}, moments)

    def move_cursors(self, source: str, positions: Mapping[str, str]) -> None:
        """Note how far a source has been collected."""
        self._put(
            tables.cursors,
            ["source_id", "scope"],
            {
                "source_id": [source] * len(positions),
                "scope": list(positions),
                "position": list(positions.values()),
            },
        )

    def note_author_lists(self, judged: Collection[tuple[str, str]], lists: str) -> None:
        """Note by which lists the authors of imported records were judged: sources and kinds."""
        self._put(
            tables.author_lists,
            ["source_id", "kind"],
            {
                "source_id": [source for source, _ in judged],
                "kind": [kind for _, kind in judged],
                "lists": [lists] * len(judged),
            },
        )

    def remove(self, source: str, gone: Mapping[type[AnyRecord], Iterable[str]]) -> None:
        """Remove records that a source takes back, by their keys."""
        self._names.learn([source])
        for cls, keys in gone.items():
            table = SHAPES[cls].table
            mine = table.c.source_id == self._names.ids[source]
            named = [{"gone": key} for key in keys]
            if not named:
                continue
            one = delete(table).where(mine, table.c.key == bindparam("gone"))
            removed = self._connection.execute(one, named).rowcount
            self._changed[cls.KIND] += removed
            if removed:
                forget_mark(self._connection)  # nothing is left to tell whom it concerned

    def note_left_out(self, source: str, left_out: Mapping[str, str]) -> None:
        """Note the records that the last collection of a source left out, and why."""
        if left_out:
            kept = dict(list(left_out.items())[:MOST_LEFT_OUT])
            self.move_cursors(source, {tables.LEFT_OUT: json.dumps(kept)})
            return
        table, names = tables.cursors, tables.names
        of_source = select(names.c.id).where(names.c.name == source).scalar_subquery()
        same = (table.c.source_id == of_source) & (table.c.scope == tables.LEFT_OUT)
        self._connection.execute(delete(table).where(same))

    def note_collection(
        self, source: str, started_at: datetime, finished_at: datetime, error: str | None
    ) -> None:
        """Note when a source was collected last, and what went wrong, if anything did."""
        said = {"started_at": started_at, "finished_at": finished_at, "error": error}
        if error is None:
            said["succeeded_at"] = finished_at
        values = {name: [value] for name, value in said.items()}
        self._put(tables.collections, ["source_id"], {"source_id": [source], **values})

    def finish(self) -> Saved:
        """Finish the save and return its outcome; the batch counts if any row changed."""
        for key, stretches in self._covered.items():
            self._write_coverage(*key, stretches)
        if self._counts[Commit.KIND]:
            self._changed[Commit.KIND] += self._commits.finish()
        changed = {kind: count for kind, count in self._changed.items() if count}
        if changed:
            meta = tables.meta
            now = update(meta).where(meta.c.key == "batch").values(value=str(self._batch))
            self._connection.execute(now)
        return Saved(dict(self._counts), changed)

    def _write_facts(self, shape: Shape, pairs: Sequence[Sourced]) -> None:
        sources, records = zip(*pairs, strict=True)
        values: dict[str, Values] = {
            column.name: list(map(shape.getter(column), records)) for column in shape.columns
        }
        self._write_rows(shape, {**values, "source_id": sources})

    @cached_property
    def _commits(self) -> "CommitSaving":
        from vpemetrics.store.commit_saving import CommitSaving  # nobody who reads pays for it

        return CommitSaving(self._connection, self._batch, self._names, self._hide)

    def _write_rows(
        self, shape: Shape, values: Mapping[str, Values], stored: Mapping[str, Values] = _NOTHING
    ) -> None:
        changed = self._put(shape.table, shape.key_columns, values, stored)
        self._changed[shape.record.KIND] += changed

    def _put(
        self,
        table: Table,
        keys: Sequence[str],
        values: Mapping[str, Values],
        stored: Mapping[str, Values] = _NOTHING,
    ) -> int:
        """Write one row per position of the values; return how many rows changed.

        `stored` are columns whose values are as the database holds them.
        """
        columns = [column for column in table.columns if column.name in {*values, *stored}]
        written = [
            stored[column.name]
            if column.name in stored
            else self._to_stored(column, values[column.name])
            for column in columns
        ]
        if "batch" in table.c:
            columns.append(table.c.batch)
            written.append([self._batch] * len(next(iter(values.values()))))
        return upsert_columns(self._connection, table, columns, keys, written)

    def _to_stored(self, column: Column[Any], values: Values) -> Values:
        """The values as the database holds them."""
        if values.count(None) == len(values):
            return values
        match column.info["holds"]:
            case Holds.NAME:
                return _ids(self._names, values)
            case Holds.SHA:
                return pack_each([(sha,) if sha else () for sha in values])
            case Holds.SHAS:
                return pack_each(values)
            case Holds.AUTHOR:
                return list(map(self._hide.__getitem__, values))
            case Holds.INSTANT:
                return [None if value is None else to_micros(value) for value in values]
            case Holds.TRUTH:
                return [None if value is None else int(value) for value in values]
            case Holds.LIST:
                return [list_text(value) if value else None for value in values]
            case Holds.OPTIONAL_LIST:
                return [None if value is None else list_text(value) for value in values]
            case Holds.CHOICE:
                return [None if value is None else str(value) for value in values]
            case Holds.TEXT:
                return clean_texts(values)
        return values

    def _cover(self, pairs: Sequence[tuple[str, Any]]) -> None:
        for source, record in pairs:
            key = (record.source or source, record.scope, str(record.kind), record.from_rows)
            self._covered[key].add((to_micros(record.start), to_micros(record.end)))

    def _write_coverage(
        self, source: str, scope: str, kind: str, from_rows: bool, new: set[Interval]
    ) -> None:
        table = tables.coverage
        self._names.learn([source])
        same = (
            (table.c.source_id == self._names.ids[source])
            & (table.c.scope == scope)
            & (table.c.kind == kind)
            & (table.c.from_rows == int(from_rows))
        )
        found = self._connection.execute(select(table.c.start_at, table.c.end_at).where(same))
        old = {(to_micros(start), to_micros(end)) for start, end in found}
        merged = set(merge_intervals((start, end) for start, end in old | new if start < end))
        gone = [from_micros(start) for start, _ in old - merged]
        if gone:
            self._connection.execute(delete(table).where(same, table.c.start_at.in_(gone)))
        added = sorted(merged - old)
        self._changed[Coverage.KIND] += self._put(
            table,
            [column.name for column in table.primary_key],
            {
                "source_id": [source] * len(added),
                "scope": [scope] * len(added),
                "kind": [kind] * len(added),
                "start_at": [from_micros(start) for start, _ in added],
                "end_at": [from_micros(end) for _, end in added],
                "from_rows": [from_rows] * len(added),
            },
        )


class _Hiding(dict[str | None, str | None]):
    """Authors as keyed hashes: `h:` and 16 hexadecimal digits; a marked one stays as it is."""

    def __init__(self, key: bytes) -> None:
        super().__init__({None: None, "": None})
        self._key = key

    def __call__(self, author: str | None) -> str | None:
        return self[author]

    def __missing__(self, author: str) -> str:
        self[author] = hidden = author if _MARKED.fullmatch(author) else self._hash(author)
        return hidden

    def _hash(self, author: str) -> str:
        text = author.encode("utf-8", "replace")
        return HIDDEN + blake2b(text, digest_size=8, key=self._key).hexdigest()


def last_batch(connection: Connection) -> int:
    """The number of the last save that changed anything; 0 before the first."""
    query = select(tables.meta.c.value).where(tables.meta.c.key == "batch")
    return int(connection.scalar(query) or 0)


def hide(connection: Connection, text: str) -> str:
    """The keyed hash that a store holds instead of a text that names somebody."""
    return str(_Hiding(_author_key(connection))(text))


def _author_key(connection: Connection) -> bytes:
    query = select(tables.meta.c.value).where(tables.meta.c.key == "author_key")
    return bytes.fromhex(connection.execute(query).scalar_one())


def _ids(interned: Interned, texts: Values) -> list[int | None]:
    interned.learn(filter(None, texts))
    return list(map(interned.ids.get, texts))  # at once: they may be forgotten any time later


def _known(moments: "Instants") -> Values:
    """Counts of microseconds, None where a moment is missing."""
    counts: list[int] = moments.tolist()
    if not (moments == MISSING).any():
        return counts
    return [None if count == MISSING else count for count in counts]
