"""Commits as columns, and the bytes that these are kept as.

All shas that some commits name stand once in `shas`: first those of the commits themselves, in
order, then those of others. Parents and the like are places in it, so most take two bytes, and
what is not collected keeps its sha.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain
from struct import Struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vpemetrics.lineage.rows import AUTHOR_KINDS
from vpemetrics.records import Commit
from vpemetrics.store.engine import DamagedChunk
from vpemetrics.store.shas import Ids, Shas
from vpemetrics.store.texts import HIDDEN, list_text
from vpemetrics.window import MISSING, SECOND, known_instant

Places = NDArray[np.int64]
Keys = NDArray[np.uint64]

NONE: Final = -1
_FIRST_TWO: Final = 2
"""The parents that have a column each; seldom does a merge have more."""


def _no_places() -> Places:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Links:
    """The commits that few rows name: pairs of a row and a place in `shas`, by row."""

    rows: Places = field(default_factory=_no_places)
    to: Places = field(default_factory=_no_places)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.rows.tolist(), self.to.tolist(), strict=True)


@dataclass(frozen=True, kw_only=True)
class CommitColumns:
    """Commits of one repository as one source tells them.

    `authors` are places in `author_keys`, which are keyed hashes; `paths` are places in
    `path_lists` and `marks` in `mark_lists`, which are JSON texts, `kinds` in AUTHOR_KINDS. NONE
    is what is unknown, and a parent that there is not.
    """

    shas: Shas
    first: Places
    second: Places
    more_parents: Links
    authored_at: Places
    committed_at: Places
    authors: Places
    author_keys: Keys
    kinds: Places
    marks: Places
    mark_lists: tuple[str, ...]
    reverts: Links
    picks: Links
    paths: Places
    path_lists: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def ids(self) -> Ids:
        """The ids of the commits."""
        return self.shas.ids[: len(self)]

    def ids_at(self, places: Places) -> Ids:
        """The ids of what is at places in `shas`, NONE where there is nothing."""
        return np.append(self.shas.ids, NONE)[places]

    def take(self, rows: Places) -> "CommitColumns":
        """The commits in some rows, in that order, and the shas that they name."""
        place = np.full(len(self), NONE, dtype=np.int64)
        place[rows] = np.arange(len(rows))

        def links(old: Links) -> Links:
            kept = place[old.rows] >= 0
            order = np.argsort(place[old.rows[kept]], kind="stable")
            return Links(rows=place[old.rows[kept]][order], to=old.to[kept][order])

        more, reverts, picks = map(links, (self.more_parents, self.reverts, self.picks))
        first, second = self.first[rows], self.second[rows]
        used = _used_places(len(self.shas), [first, second, more.to, reverts.to, picks.to])
        moved = np.full(len(self.shas) + 1, NONE, dtype=np.int64)
        moved[used] = np.arange(len(used)) + len(rows)
        return replace(
            self,
            shas=Shas.together([self.shas.take(rows), self.shas.take(used)]),
            first=moved[first],
            second=moved[second],
            more_parents=replace(more, to=moved[more.to]),
            authored_at=self.authored_at[rows],
            committed_at=self.committed_at[rows],
            authors=self.authors[rows],
            kinds=self.kinds[rows],
            marks=self.marks[rows],
            reverts=replace(reverts, to=moved[reverts.to]),
            picks=replace(picks, to=moved[picks.to]),
            paths=self.paths[rows],
        )

    def signatures(self) -> NDArray[np.int64]:
        """A row of integers for each commit: two that are the same say the same."""
        seldom: dict[int, list[Any]] = {}
        for kind, links in enumerate((self.more_parents, self.reverts, self.picks)):
            for row, to in zip(links.rows.tolist(), self.ids_at(links.to).tolist(), strict=True):
                seldom.setdefault(row, []).append((kind, to))
        for row in np.flatnonzero(self.paths >= 0).tolist():
            seldom.setdefault(row, []).append(self.path_lists[self.paths[row]])
        for row in np.flatnonzero(self.marks >= 0).tolist():
            seldom.setdefault(row, []).append(("marks", self.mark_lists[self.marks[row]]))
        rest = np.zeros(len(self), dtype=np.int64)
        for row, said in seldom.items():
            rest[row] = hash(tuple(said))
        keys = np.append(self.author_keys.view(np.int64), 0)
        return np.column_stack(
            [
                self.ids_at(self.first),
                self.ids_at(self.second),
                self.authored_at,
                self.committed_at,
                keys[self.authors],
                self.authors >= 0,
                self.kinds,
                rest,
            ]
        )

    def records(self, repository: str) -> Iterator[Commit]:
        """The commits as records."""
        shas = self.shas.texts()
        more, reverts, picks = (
            _by_row(links, shas) for links in (self.more_parents, self.reverts, self.picks)
        )
        authors = [f"{HIDDEN}{key:016x}" for key in self.author_keys.tolist()]
        paths = [tuple(json.loads(text)) for text in self.path_lists]
        marks = [tuple(json.loads(text)) for text in self.mark_lists]
        columns = (
            self.first, self.second, self.authored_at, self.committed_at, self.authors,
            self.kinds, self.marks, self.paths,
        )  # fmt: skip
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for row, told in enumerate(rows):
            first, second, authored, committed, author, kind, named, touched = told
            parents = [shas[place] for place in (first, second) if place >= 0]
            yield Commit(
                sha=shas[row],
                repository=repository,
                parents=(*parents, *more.get(row, ())),
                authored_at=known_instant(authored),
                committed_at=known_instant(committed),
                author=authors[author] if author >= 0 else None,
                author_kind=AUTHOR_KINDS[kind],
                marks=marks[named] if named >= 0 else (),
                reverts_sha=tuple(reverts.get(row, ())),
                picked_from_sha=picks.get(row, [None])[-1],
                paths=paths[touched] if touched >= 0 else None,
            )


def _by_row(links: Links, shas: Sequence[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row, place in links:
        found.setdefault(row, []).append(shas[place])
    return found


def commit_columns(
    *,
    shas: Sequence[str],
    parents: Sequence[Sequence[str]],
    reverts: Sequence[Sequence[str]],
    picks: Sequence[str | None],
    paths: Sequence[Sequence[str] | None],
    authors: Sequence[str | None],
    kinds: Places,
    marks: Sequence[Sequence[str]],
    authored_at: Places,
    committed_at: Places,
) -> CommitColumns:
    """Commits as columns: of hidden authors, and of shas as texts."""
    count = len(shas)
    counts = np.fromiter(map(len, parents), dtype=np.int64, count=count)
    starts = count + np.cumsum(counts) - counts
    named = list(chain.from_iterable(parents))

    def seldom(pairs: Sequence[tuple[int, str]]) -> Links:
        if not pairs:
            return Links()
        begin = count + len(named)
        named.extend(sha for _, sha in pairs)
        rows = np.array([row for row, _ in pairs], dtype=np.int64)
        return Links(rows=rows, to=np.arange(begin, begin + len(pairs)))

    many = np.flatnonzero(counts > _FIRST_TWO)
    more = [np.arange(starts[row] + _FIRST_TWO, starts[row] + counts[row]) for row in many]
    codes, author_keys = _distinct(authors)
    paths_codes, path_lists = _distinct(paths)
    marks_codes, mark_lists = _distinct([of or None for of in marks])
    reverted = seldom([(row, sha) for row, of in enumerate(reverts) if of for sha in of])
    picked = seldom([(row, sha) for row, sha in enumerate(picks) if sha])
    return CommitColumns(
        shas=Shas.together([Shas.of(shas), Shas.of(named)]),
        first=np.where(counts > 0, starts, NONE),
        second=np.where(counts > 1, starts + 1, NONE),
        more_parents=Links(
            rows=np.repeat(many, counts[many] - _FIRST_TWO),
            to=np.concatenate([np.empty(0, dtype=np.int64), *more]),
        ),
        reverts=reverted,
        picks=picked,
        authors=codes,
        author_keys=np.array(
            [int(key.removeprefix(HIDDEN), 16) for key in author_keys], dtype=np.uint64
        ),
        paths=paths_codes,
        path_lists=tuple(map(list_text, path_lists)),
        kinds=kinds,
        marks=marks_codes,
        mark_lists=tuple(map(list_text, mark_lists)),
        authored_at=authored_at,
        committed_at=committed_at,
    )


def _distinct(values: Sequence[Any]) -> tuple[Places, list[Any]]:
    """Each value's place among the distinct ones, NONE for None."""
    places = dict.fromkeys(values)
    places.pop(None, None)
    known: dict[Any, int] = {value: at for at, value in enumerate(places)}
    codes = [NONE if value is None else known[value] for value in values]
    return np.array(codes, dtype=np.int64), list(known)


def join(parts: Sequence[CommitColumns]) -> CommitColumns:
    """Commits, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    rows = _offsets(map(len, parts))
    shas = _offsets((len(part.shas) for part in parts), first=rows[-1])
    authors = _offsets(len(part.author_keys) for part in parts)
    lists = _offsets(len(part.path_lists) for part in parts)
    marks = _offsets(len(part.mark_lists) for part in parts)

    def places(read: Callable[[CommitColumns], Places], shifts: Sequence[int]) -> Places:
        return np.concatenate(
            [_shifted(read(part), by) for part, by in zip(parts, shifts, strict=False)]
        )

    def links(read: Callable[[CommitColumns], Links]) -> Links:
        return Links(
            rows=places(lambda part: read(part).rows, rows),
            to=places(lambda part: read(part).to, shas),
        )

    own = (part.shas.take(slice(len(part))) for part in parts)
    return CommitColumns(
        shas=Shas.together([*own, *(part.shas for part in parts)]),
        first=places(lambda part: part.first, shas),
        second=places(lambda part: part.second, shas),
        more_parents=links(lambda part: part.more_parents),
        authored_at=np.concatenate([part.authored_at for part in parts]),
        committed_at=np.concatenate([part.committed_at for part in parts]),
        authors=places(lambda part: part.authors, authors),
        author_keys=np.concatenate([part.author_keys for part in parts]),
        kinds=np.concatenate([part.kinds for part in parts]),
        marks=places(lambda part: part.marks, marks),
        mark_lists=tuple(text for part in parts for text in part.mark_lists),
        reverts=links(lambda part: part.reverts),
        picks=links(lambda part: part.picks),
        paths=places(lambda part: part.paths, lists),
        path_lists=tuple(text for part in parts for text in part.path_lists),
    )


def _offsets(lengths: Iterable[int], first: int = 0) -> list[int]:
    """The place at which each of some parts begins, and at last the end of all of them."""
    return list(accumulate(lengths, initial=first))


def _shifted(places: Places, by: int) -> Places:
    return np.where(places == NONE, NONE, places + by)


def _used_places(count: int, places: Sequence[Places]) -> Places:
    """The places, out of so many, that are in any of some columns."""
    used = np.zeros(count + 1, dtype=np.bool_)
    used[np.concatenate(places)] = True
    return np.flatnonzero(used[:NONE])


def _tidy(columns: CommitColumns) -> CommitColumns:
    """The same with all that is named once, and nothing that is not."""
    from vpemetrics.lineage.graph import find  # only who saves commits takes it

    count, ids = len(columns), columns.shas.ids
    more, reverts, picks = columns.more_parents, columns.reverts, columns.picks
    places = [columns.first, columns.second, more.to, reverts.to, picks.to]
    used = _used_places(len(ids), places)
    used = used[used >= count]
    rows = np.argsort(ids[:count], kind="stable")
    own = find(ids[:count][rows], ids[used])
    is_own = own >= 0
    others = used[~is_own]
    _, earliest, which = np.unique(ids[others], return_index=True, return_inverse=True)
    moved = np.arange(len(ids) + 1)
    moved[used[is_own]] = rows[own[is_own]]
    moved[others] = which + count
    moved[-1] = NONE
    keep = np.concatenate([np.arange(count), others[earliest]])
    authors, author_keys = _used(columns.authors, columns.author_keys)
    paths, path_lists = _used_lists(columns.paths, columns.path_lists)
    marks, mark_lists = _used_lists(columns.marks, columns.mark_lists)
    return replace(
        columns,
        shas=columns.shas.take(keep),
        first=moved[columns.first],
        second=moved[columns.second],
        more_parents=replace(more, to=moved[more.to]),
        reverts=replace(reverts, to=moved[reverts.to]),
        picks=replace(picks, to=moved[picks.to]),
        authors=authors,
        author_keys=author_keys,
        paths=paths,
        path_lists=path_lists,
        marks=marks,
        mark_lists=mark_lists,
    )


def _used(places: Places, values: Keys) -> tuple[Places, Keys]:
    """Places in values of which each is there once, and used."""
    known = places >= 0
    kept, codes = np.unique(values[places[known]], return_inverse=True)
    moved = np.full(len(places), NONE, dtype=np.int64)
    moved[known] = codes
    return moved, kept


def _used_lists(places: Places, lists: tuple[str, ...]) -> tuple[Places, tuple[str, ...]]:
    if not lists:
        return places, lists
    used = np.unique(places[places >= 0]).tolist()
    known: dict[str, int] = {}
    moved = np.full(len(lists) + 1, NONE, dtype=np.int64)
    for place in used:
        moved[place] = known.setdefault(lists[place], len(known))
    return moved[places], tuple(known)


# --- bytes --------------------------------------------------------------------------------------

_VERSION: Final = 1
_HEAD: Final = Struct("<BI")
"""The version, and the checksum of the shas and of all that follows: a count, and columns."""
_COUNT: Final = Struct("<I")
_FIELD: Final = Struct("<BBI")
"""The number of a column, the bytes that each of its values takes, and those of all of them."""
_MICROS: Final = 0
"""In the place of that: moments that are not all whole seconds, eight bytes each."""
_ORDER: Final = (
    "first", "second", "more_parents.rows", "more_parents.to", "authored_at", "committed_at",
    "authors", "author_keys", "kinds", "marks", "reverts.rows", "reverts.to", "picks.rows",
    "picks.to", "paths", "path_lists", "mark_lists",
)  # fmt: skip
"""The columns by their numbers, from 1 on; one without anything but what is unknown is left out."""
_MOMENTS: Final = ("authored_at", "committed_at")
_COUNTED: Final = "kinds"
"""The column in which nothing is 0, not NONE."""
_LISTS: Final = ("path_lists", "mark_lists")


_MOST_SECONDS: Final = 2**32 - 1


def encode(columns: CommitColumns) -> tuple[bytes, bytes]:
    """Commits as the bytes of their shas and those of all else."""
    columns = _tidy(columns)
    shas = columns.shas.pack()
    body = _COUNT.pack(len(columns)) + b"".join(_fields(columns))
    return shas, _HEAD.pack(_VERSION, zlib.crc32(body, zlib.crc32(shas))) + body


def _fields(columns: CommitColumns) -> Iterator[bytes]:
    for number, name in enumerate(_ORDER, 1):
        size, data = _field(name, columns)
        if data:
            yield _FIELD.pack(number, size, len(data)) + data


def _field(name: str, columns: CommitColumns) -> tuple[int, bytes]:
    """The bytes of a column and of each of its values; none where all of it is unknown."""
    if name in _LISTS:
        return 1, "\n".join(getattr(columns, name)).encode()  # JSON has no such sign in a text
    if name == "author_keys":
        return 8, columns.author_keys.astype("<u8").tobytes()
    whole, _, part = name.partition(".")
    values = getattr(columns, whole)
    values = getattr(values, part) if part else values
    if name in _MOMENTS:
        return _moments(values)
    return _small(values if name == _COUNTED else values + 1)


def _moments(values: Places) -> tuple[int, bytes]:
    """Moments as seconds from 1970 to 2106, one more for 0 to be none; else microseconds."""
    known = values != MISSING
    seconds, rest = np.divmod(values[known], SECOND)
    if rest.any() or seconds.min(initial=0) < 0 or seconds.max(initial=0) >= _MOST_SECONDS:
        return _MICROS, values.astype("<i8").tobytes()
    counts = np.zeros(len(values), dtype=np.int64)
    counts[known] = seconds + 1
    return _small(counts)


def _small(values: Places) -> tuple[int, bytes]:
    """Values from 0 on, in as few bytes as the largest takes."""
    most = int(values.max(initial=0))
    if not most:
        return 1, b""
    size = next(size for size in (1, 2, 4, 8) if most < 2 ** (8 * size))
    return size, values.astype(f"<u{size}").tobytes()


def decode(shas: bytes, data: bytes) -> CommitColumns:
    """The commits of some bytes. DamagedChunk if these are not as they were written."""
    try:
        version, checksum = _HEAD.unpack_from(data)
        body = memoryview(data)[_HEAD.size :]
        if version != _VERSION or zlib.crc32(body, zlib.crc32(shas)) != checksum:
            raise DamagedChunk("commits are not as they were written")
        (count,) = _COUNT.unpack_from(body)
        return _columns(Shas.unpack(shas), count, dict(_found(body[_COUNT.size :])))
    except DamagedChunk:
        raise
    except Exception as error:
        raise DamagedChunk("commits are not as they were written") from error


def _found(body: memoryview) -> Iterator[tuple[str, tuple[int, memoryview]]]:
    at = 0
    while at < len(body):
        number, size, length = _FIELD.unpack_from(body, at)
        at += _FIELD.size
        yield _ORDER[number - 1], (size, body[at : at + length])
        at += length


def _columns(shas: Shas, count: int, found: Mapping[str, tuple[int, memoryview]]) -> CommitColumns:
    def values(name: str, nothing: int) -> Places:
        if name not in found:
            return np.full(count, nothing, dtype=np.int64)
        size, data = found[name]
        return np.frombuffer(data, dtype=f"<u{size}").astype(np.int64)

    def places(name: str) -> Places:
        return values(name, 0) - 1

    def links(name: str) -> Links:
        if f"{name}.to" not in found:
            return Links()
        return Links(rows=places(f"{name}.rows"), to=places(f"{name}.to"))

    def moments(name: str) -> Places:
        if name in found and found[name][0] == _MICROS:
            return np.frombuffer(found[name][1], dtype="<i8").astype(np.int64)
        seconds = values(name, 0)
        return np.where(seconds == 0, MISSING, (seconds - 1) * SECOND)

    def lists(name: str) -> tuple[str, ...]:
        return tuple(bytes(found[name][1]).decode().split("\n")) if name in found else ()

    return CommitColumns(
        shas=shas,
        first=places("first"),
        second=places("second"),
        more_parents=links("more_parents"),
        authored_at=moments("authored_at"),
        committed_at=moments("committed_at"),
        authors=places("authors"),
        author_keys=np.frombuffer(found.get("author_keys", (8, b""))[1], dtype="<u8").astype(
            np.uint64
        ),
        kinds=values("kinds", 0),
        marks=places("marks"),
        mark_lists=lists("mark_lists"),
        reverts=links("reverts"),
        picks=links("picks"),
        paths=places("paths"),
        path_lists=lists("path_lists"),
    )
