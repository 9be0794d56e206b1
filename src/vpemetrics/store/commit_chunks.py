"""The commits in the database: chunks of some thousand, each of one repository and one source."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select, update

from vpemetrics.store.commit_columns import CommitColumns, decode, encode
from vpemetrics.store.shas import Beginnings, Shas
from vpemetrics.store.tables import Holds, commit_chunks, metadata, names

NAMING: Final = tuple(
    column
    for table in metadata.sorted_tables
    for column in table.columns
    if column.info.get("holds") in (Holds.SHA, Holds.SHAS)
)
"""The columns of records that name commits."""


_CHUNKS: Final = "SELECT id, source_id, repository_id, shas, data FROM commit_chunks"

_SHAS: Final = "SELECT id, count, shas FROM commit_chunks"


class Chunk(NamedTuple):
    """A chunk as it is stored."""

    id: int
    source_id: int
    repository_id: int
    columns: CommitColumns


def read_chunks(connection: Connection, where: str = "1 = 1") -> Iterator[Chunk]:
    """The chunks that a condition holds for, those of a repository and a source together."""
    order = "ORDER BY repository_id, source_id, id"
    result = connection.exec_driver_sql(f"{_CHUNKS} WHERE {where} {order}")
    for id_, source, repository, shas, data in result:
        yield Chunk(id_, source, repository, decode(bytes(shas), bytes(data)))


def forget_commits(connection: Connection, chunk: Chunk, gone: NDArray[np.bool_]) -> None:
    """Remove commits from a chunk; the others stay in their order."""
    same = commit_chunks.c.id == chunk.id
    if gone.all():
        connection.execute(delete(commit_chunks).where(same))
        return
    shas, data = encode(chunk.columns.take(np.flatnonzero(~gone)))
    values = {"count": int((~gone).sum()), "shas": shas, "data": data}
    connection.execute(update(commit_chunks).where(same).values(values))


# --- single commits -----------------------------------------------------------------------------


def _all_shas(connection: Connection) -> Iterator[Shas]:
    """The shas of each chunk: of its commits, and of those that they name."""
    for _, _, shas in connection.exec_driver_sql(f"{_SHAS} ORDER BY id"):
        yield Shas.unpack(bytes(shas))


def shas_of(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """The shas of commits by their ids, of those that are known or named by others."""
    wanted = np.array(sorted(set(ids)), dtype=np.int64)
    found: dict[int, str] = {}
    if not len(wanted):
        return found
    for shas in _all_shas(connection):
        if len(found) == len(wanted):
            break
        here = shas.take(np.flatnonzero(np.isin(shas.ids, wanted)))
        found.update(zip(here.ids.tolist(), here.texts(), strict=True))
    return found


def find_shas(connection: Connection, beginnings: Collection[str]) -> dict[str, list[str]]:
    """The shas that begin in some ways, in order, of commits and of those that they name.

    Where there is none, of what records name that was not collected.
    """
    left, found = set(beginnings), dict[str, list[str]]()
    for columns in (_all_shas, _named_by_records):
        if not left:
            break
        wanted = Beginnings(left)
        near = sorted({sha for shas in columns(connection) for sha in shas.like(wanted)})
        found |= {beginning: _beginning_so(near, beginning) for beginning in left}
        left = {beginning for beginning in left if not found[beginning]}
    return found


def _beginning_so(shas: Sequence[str], beginning: str) -> list[str]:
    """Those of some shas in order that begin so."""
    return [*takewhile(lambda sha: sha.startswith(beginning), shas[bisect_left(shas, beginning) :])]


def _named_by_records(connection: Connection) -> Iterator[Shas]:
    """The shas that records of other kinds name."""
    for column in NAMING:
        named = connection.scalars(select(column).where(column.is_not(None)))
        yield from Shas.unpack_all(map(bytes, named))


def find_commit(connection: Connection, id_: int) -> tuple[Chunk, int] | None:
    """The chunk and row of a commit; of several sources and repositories the first by name."""
    found = []
    for chunk, count, shas in connection.exec_driver_sql(f"{_SHAS} ORDER BY id"):
        rows = np.flatnonzero(Shas.unpack(bytes(shas)).ids[:count] == id_)
        found += [(chunk, int(row)) for row in rows]
    read = [(next(read_chunks(connection, f"id = {chunk}")), row) for chunk, row in found]
    known = dict(connection.execute(select(names.c.id, names.c.name)).all()) if read else {}
    return min(
        read, key=lambda one: (known[one[0].source_id], known[one[0].repository_id]), default=None
    )
