"""Blocks of what was derived: rows read from them as columns, and columns saved into them.

Whoever looks for single rows goes through all blocks of a part, which are few millions of bytes.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete

from vpemetrics.store.bulk import insert_rows
from vpemetrics.store.columns import Arrays
from vpemetrics.store.derived import derived
from vpemetrics.store.derived_layouts import LAYOUTS, Part, RowLayout, period_of
from vpemetrics.window import MISSING, Micros

Rows = NDArray[Any]
"""Rows as they lie in a block: an array of records."""
Mask = NDArray[np.bool_]
Keep = Callable[[Rows], Mask]

_BYTES: Final = 8
_WHOLE: Final = 0
"""The period of what is not divided into periods."""


class Block(NamedTuple):
    """The rows of one part of a service in one period, and a text for each where any has one."""

    part: Part
    period: int
    rows: bytes
    texts: str | None

    @property
    def digest(self) -> bytes:
        """A digest of all that it says."""
        return digest_of(self.rows, self.texts)


def digest_of(rows: bytes, texts: str | None) -> bytes:
    """The digest of a block's rows and texts."""
    found = blake2b(rows, digest_size=_BYTES)
    if texts is not None:
        found.update(texts.encode())
    return found.digest()


def read(
    connection: Connection,
    part: Part,
    *,
    start: Micros | None = None,
    end: Micros | None = None,
    services: Collection[int] | None = None,
    keep: Keep | None = None,
) -> Arrays:
    """The rows of a part as columns, the service's id among them, by service and time.

    Those of some services, if they are given, from `start` to just before `end`, that `keep`
    marks. Numbers have MISSING for what is unknown, words None.
    """
    layout = LAYOUTS[part]
    found = []
    for service, rows, texts in _blocks(connection, part, start, end, services):
        first, last = _place(layout, rows, start, 0), _place(layout, rows, end, len(rows))
        kept: slice | NDArray[np.intp] = slice(first, last)
        if keep is not None:
            kept = first + np.flatnonzero(keep(rows[kept]))
        if len(chosen := rows[kept]):
            told = None if texts is None else np.array(json.loads(texts), dtype=object)[kept]
            found.append((service, chosen, told))
    return _columns(layout, found)


def nothing(part: Part) -> Arrays:
    """The columns of a part without any rows."""
    return _columns(LAYOUTS[part], ())


def _blocks(
    connection: Connection,
    part: Part,
    start: Micros | None,
    end: Micros | None,
    services: Collection[int] | None,
) -> Iterator[tuple[int, Rows, str | None]]:
    """The rows and texts of blocks in order; ValueError if one is other than it was written."""
    wanted = f"SELECT service_id, digest, data, texts FROM derived WHERE {_of(part, services)}"
    if start is not None:
        wanted += f" AND period >= {period_of(start)}"
    if end is not None:
        wanted += f" AND period <= {period_of(end - 1)}"
    found: Any = connection.exec_driver_sql(f"{wanted} ORDER BY service_id, period").cursor
    for service, digest, rows, texts in found:
        if digest_of(rows, texts) != digest:
            raise ValueError(f"a block of {part} is other than it was written")
        yield service, np.frombuffer(rows, dtype=LAYOUTS[part].dtype), texts


def _of(part: Part, services: Collection[int] | None) -> str:
    # Named in any case, for the index begins with them.
    ids = "SELECT service_id FROM traced" if services is None else ", ".join(map(str, services))
    return f"service_id IN ({ids or 'NULL'}) AND part = '{part}'"


def _place(layout: RowLayout, rows: Rows, at: Micros | None, otherwise: int) -> int:
    if at is None or layout.by is None:
        return otherwise
    return int(np.searchsorted(rows[layout.by], at))


def _columns(layout: RowLayout, found: Sequence[tuple[int, Rows, Rows | None]]) -> Arrays:
    rows = np.frombuffer(b"".join(rows.tobytes() for _, rows, _ in found), dtype=layout.dtype)
    counts = [len(rows) for _, rows, _ in found]
    ids = np.array([service for service, _, _ in found], dtype=np.int64)
    columns: Arrays = {"service_id": np.repeat(ids, counts)}
    columns |= {name: rows[name].astype(np.int64) for name in layout.numbers}
    columns |= {name: choices[rows[name]] for name, choices in layout.choices.items()}
    if layout.text is not None:
        texts = [_no_texts(len(rows)) if told is None else told for _, rows, told in found]
        columns[layout.text] = np.concatenate([_no_texts(0), *texts])
    return columns


def _no_texts(count: int) -> Rows:
    return np.full(count, "", dtype=object)


def latest_period(
    connection: Connection, part: Part, services: Collection[int], before: int
) -> int | None:
    """The last period before another of which there is anything of some services."""
    sql = f"SELECT MAX(period) FROM derived WHERE {_of(part, services)} AND period < {before}"
    found: int | None = connection.exec_driver_sql(sql).scalar()
    return found


def among(values: NDArray[np.int64], ranked: NDArray[np.int64]) -> Mask:
    """Mark the values that are among others, which are in order.

    As `numpy.isin` does, which mostly imports another part of numpy.
    """
    if not len(ranked):
        return np.zeros(len(values), dtype=bool)
    places = np.searchsorted(ranked[:-1], values)
    marked: Mask = ranked[places] == values
    return marked


def pack(
    part: Part,
    columns: Mapping[str, NDArray[Any]],
    *,
    times: NDArray[np.int64] | None = None,
    texts: Sequence[str] = (),
) -> Iterator[Block]:
    """The blocks of columns: numbers, and choices by their codes; `times` say when each row was."""
    dtype = LAYOUTS[part].dtype
    rows = np.zeros(len(next(iter(columns.values()))), dtype=dtype)
    if times is None:
        _fill(rows, columns)
        yield from _block(part, _WHOLE, rows, texts)
        return
    order = np.argsort(times, kind="stable")
    _fill(rows, {name: column[order] for name, column in columns.items()})
    told = [texts[at] for at in order.tolist()] if texts else ()
    periods = period_of(times[order])
    begins = np.flatnonzero(np.diff(periods, prepend=MISSING)).tolist()
    for begin, end in pairwise([*begins, len(order)]):
        yield from _block(part, int(periods[begin]), rows[begin:end], told[begin:end])


def _fill(rows: Rows, columns: Mapping[str, NDArray[Any]]) -> None:
    for name, column in columns.items():
        rows[name] = column


def _block(part: Part, period: int, rows: Rows, texts: Sequence[str]) -> Iterator[Block]:
    if len(rows):
        told = json.dumps(texts, separators=(",", ":")) if any(texts) else None
        yield Block(part, period, rows.tobytes(), told)


Digests = Mapping[tuple[str, int], bytes]
"""The digests of a service's blocks, by part and period."""


def load_digests(connection: Connection, services: Iterable[int]) -> dict[int, Digests]:
    """Load the digests of the blocks of services, by the id of the service's name."""
    found: dict[int, dict[tuple[str, int], bytes]] = {service: {} for service in services}
    ids = ", ".join(map(str, found)) or "NULL"
    sql = f"SELECT service_id, part, period, digest FROM derived WHERE service_id IN ({ids})"
    for service, part, period, digest in connection.exec_driver_sql(sql):
        found[service][part, period] = digest
    return dict(found)


def save(connection: Connection, service: int, blocks: Iterable[Block], before: Digests) -> None:
    """Save a service's blocks in the place of those of before; what is the same stays."""
    found = {(block.part.value, block.period): (block.digest, block) for block in blocks}
    gone = [key for key, digest in before.items() if found.get(key, (None,))[0] != digest]
    if gone:
        keys = [{"of": service, "of_part": part, "in_period": period} for part, period in gone]
        connection.execute(_REMOVAL, keys)
    rows = [
        (service, *key, digest, block.rows, block.texts)
        for key, (digest, block) in found.items()
        if before.get(key) != digest
    ]
    insert_rows(connection, derived, rows)


_REMOVAL: Final = delete(derived).where(
    derived.c.service_id == bindparam("of"),
    derived.c.part == bindparam("of_part"),
    derived.c.period == bindparam("in_period"),
)
