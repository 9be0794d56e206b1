"""The commit graph of a service's repositories, and which deployment first reached a commit.

Commits are numbered 0 … n-1 in the order of their ids; a parent that was not collected is absent.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vpemetrics.lineage.rows import NONE

Ints = npt.NDArray[np.int64]


class Graph:
    """Parents of commits by index; ids are the store's, indices are local and dense."""

    def __init__(
        self,
        ids: Ints,
        first: Ints,
        second: Ints,
        others: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """Columns of commit ids and the ids of their parents (negative: none), any order.

        `others` are the third and later parents of octopus merges, by commit id.
        """
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        self.index: dict[int, int] = dict(zip(self.ids.tolist(), range(len(ids)), strict=True))
        first, second = first[order], second[order]
        self.first: list[int] = self._indices(first).tolist()
        self.second: list[int] = self._indices(second).tolist()
        self.is_merge: list[bool] = (second >= 0).tolist()
        index = self.index
        self.others: dict[int, list[int]] = {
            index[commit]: [index[parent] for parent in parents if parent in index]
            for commit, parents in (others or {}).items()
        }
        missing = (first >= 0) & (np.array(self.first, dtype=np.int64) < 0)
        missing |= (second >= 0) & (np.array(self.second, dtype=np.int64) < 0)
        self.cut: list[int] = np.flatnonzero(missing).tolist()
        """The cuts of the history: commits with a parent that was not collected."""

    def __len__(self) -> int:
        return len(self.ids)

    def _indices(self, ids: Ints) -> Ints:
        if not len(self.ids):
            return np.full(len(ids), NONE, dtype=np.int64)
        at = np.searchsorted(self.ids, ids).clip(max=len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, NONE)

    def first_reached(
        self, tips: Iterable[int], start: int = 0, before: Iterable[int] | None = None
    ) -> list[int]:
        """For each commit the position of the first tip it is reachable from, or NONE.

        One pass: from each tip to the parents, stopping at what an earlier tip reached.
        A tip of NONE reaches nothing. Positions count from `start`; `before` is what tips before
        these reached.
        """
        first, second, others = self.first, self.second, self.others
        reached = [NONE] * len(self.ids) if before is None else list(before)
        for position, tip in enumerate(tips, start):
            stack = [tip]
            while stack:
                commit = stack.pop()
                while commit >= 0 and reached[commit] < 0:
                    reached[commit] = position
                    if second[commit] >= 0:
                        stack.append(second[commit])
                    if others and commit in others:
                        stack.extend(others[commit])
                    commit = first[commit]
        return reached

    def first_parents(self, tip: int) -> list[int]:
        """A commit and its line of first parents, newest first.

        It ends before a commit that stands in it already: what a source tells may go in circles.
        """
        line: dict[int, None] = {}
        while tip >= 0 and tip not in line:
            line[tip] = None
            tip = self.first[tip]
        return list(line)

    def contains(self, commit: int, ancestor: int, reached: Sequence[int]) -> bool:
        """Tell whether `ancestor` is reachable from `commit`; both reached by some tip.

        What reaches a commit reaches its ancestors, so commits first reached earlier than
        `ancestor` cannot have it among theirs, and the walk stops there.
        """
        floor = reached[ancestor]
        seen = {commit}
        stack = [commit]
        while stack:
            at = stack.pop()
            if at == ancestor:
                return True
            for parent in (self.first[at], self.second[at], *self.others.get(at, ())):
                if parent >= 0 and parent not in seen and reached[parent] >= floor:
                    seen.add(parent)
                    stack.append(parent)
        return False
