"""Mistakes that only a whole file shows: keys given twice, cycles of commits.

Only hashes and row numbers are kept, some thirty bytes a row, so that a file of any size
can be read row by row; the rows that look wrong are then read again and compared exactly.
"""

from array import array
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_MIXING: Final = 0x9E3779B97F4A7C15
"""An odd number whose bits look like chance: hashes of several columns become one with it."""

_NEW, _ON_THE_PATH, _DONE = 0, 1, 2


class Keys:
    """The keys of the rows of a file, and on which line each row stands."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._lines = array("q")

    def add(self, keys: Iterable[Sequence[Hashable]], lines: Sequence[int]) -> None:
        """Notes the keys of the next rows, by the columns they are made of, and their lines."""
        import numpy as np

        mixed = np.zeros(len(lines), dtype=np.uint64)
        for column in keys:
            hashes = np.fromiter(map(hash, column), dtype=np.int64, count=len(lines))
            mixed = mixed * np.uint64(_MIXING) ^ hashes.view(np.uint64)
        self._hashes.frombytes(mixed.tobytes())
        self._lines.extend(lines)

    def lines(self, rows: Iterable[int]) -> list[int]:
        """The lines of rows by their numbers, counted from 0."""
        return [self._lines[row] for row in rows]

    def given_twice(self) -> list[int]:
        """The lines whose key another line seems to have, in order."""
        import numpy as np

        _, group, size = np.unique(_numbers(self._hashes), return_inverse=True, return_counts=True)
        return sorted(self.lines(np.flatnonzero(size[group] > 1).tolist()))


class CommitParents:
    """The commits of a file, each a row, and their parents."""

    def __init__(self) -> None:
        self._shas = array("q")
        self._children = array("q")
        self._parents = array("q")

    def add(self, shas: Sequence[str], parents: Sequence[Sequence[str]]) -> None:
        """Notes the next commits, each with its parents."""
        import numpy as np

        counts = np.fromiter(map(len, parents), dtype=np.int64, count=len(parents))
        rows = np.arange(len(self._shas), len(self._shas) + len(shas))
        hashes = np.fromiter(map(hash, shas), dtype=np.int64, count=len(shas))
        self._shas.frombytes(hashes.tobytes())
        above = np.fromiter(map(hash, chain.from_iterable(parents)), dtype=np.int64)
        self._parents.frombytes(above.tobytes())
        self._children.frombytes(np.repeat(rows, counts).tobytes())

    def closing_cycles(self) -> list[int]:
        """Rows of commits that are their own ancestors: without them there is no cycle.

        A file that lists all children before their parents, as git does, or all parents
        first, is seen to have none at once; any other is walked once.
        """
        children, parents = self._edges()
        if bool((parents > children).all()) or bool((parents < children).all()):
            return []
        return _closing_cycles(len(self._shas), children, parents)

    def _edges(self) -> "tuple[Numbers, Numbers]":
        """Child and parent rows, of the parents that are in the file, in order of the child."""
        import numpy as np

        shas, wanted = _numbers(self._shas), _numbers(self._parents)
        order = np.argsort(shas, kind="stable")
        place = np.searchsorted(shas, wanted, sorter=order)
        place[place == len(shas)] = 0
        rows = order[place] if len(shas) else place
        known = shas[rows] == wanted if len(shas) else np.zeros(0, dtype=bool)
        return _numbers(self._children)[known], rows[known]


def _closing_cycles(count: int, children: "Numbers", parents: "Numbers") -> list[int]:
    """The rows at which a walk to the parents comes back to a commit it is still below."""
    import numpy as np

    bounds = np.searchsorted(children, np.arange(count + 1)).tolist()
    following, ends, above = bounds[:-1], bounds[1:], parents.tolist()
    state = bytearray(count)
    found = []
    for start in range(count):
        if state[start] != _NEW:
            continue
        state[start] = _ON_THE_PATH
        path = [start]
        while path:
            row = path[-1]
            if following[row] == ends[row]:
                state[row] = _DONE
                path.pop()
                continue
            parent = above[following[row]]
            following[row] += 1
            if state[parent] == _NEW:
                state[parent] = _ON_THE_PATH
                path.append(parent)
            elif state[parent] == _ON_THE_PATH:
                found.append(row)
    return sorted(set(found))


def _numbers(values: "array[int]") -> "Numbers":
    import numpy as np

    return np.frombuffer(values, dtype=np.int64) if values else np.zeros(0, dtype=np.int64)
