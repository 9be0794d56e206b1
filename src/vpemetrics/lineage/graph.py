"""The commit graph of some repositories, and which deployment first reached a commit.

Commits are at places 0 … n-1 in the order of their ids; a parent that was not collected is absent.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from vpemetrics.lineage.rows import NONE

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER: Final = 2**62
"""The position of the deployment that reached what none has reached."""


_FEW: Final = 100
"""The commits that are quicker gone through one by one than as an array."""

_STEPS: Final = 100
"""The steps that are taken so at most: where a later tip is far below, its way is gone in vain."""

ID_BITS: Final = 62
"""The bits of a commit's id."""

LOST: Final = -2
"""The place of a parent that was not collected."""


def find(known: Ints, ids: Ints) -> Ints:
    """The places of ids among sorted ones, NONE for those that are not there."""
    if not len(known):
        return np.full(len(ids), NONE, dtype=np.int64)
    at = np.searchsorted(known, ids).clip(max=len(known) - 1)
    return np.where(known[at] == ids, at, NONE)


def linked(known: Ints, parents: Ints) -> Ints:
    """The places of parents by their ids: NONE for none, LOST for one that was not collected."""
    places = find(known, parents)
    places[(places < 0) & (parents >= 0)] = LOST
    return places


def one_by_one(values: Ints) -> MutableSequence[int]:
    """The same integers, for who reads and writes few of them: quicker than as an array."""
    return memoryview(values)  # type: ignore[arg-type,return-value]  # a Buffer from Python 3.12 on


class Graph:
    """Parents of commits by place; ids are the store's, places are local and dense."""

    def __init__(
        self,
        ids: Ints,
        first: Ints,
        second: Ints,
        others: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """Columns of commit ids, in order, and of the places of their parents, as of `linked`.

        `others` are the third and later parents of octopus merges, all by id.
        """
        self.ids = ids
        self.first, self.second = np.maximum(first, NONE), np.maximum(second, NONE)
        self.is_merge: Flags = second != NONE
        self.others: dict[int, list[int]] = {}
        for commit, parents in (others or {}).items():
            places = find(self.ids, np.array(parents, dtype=np.int64))
            self.others[self.place(commit)] = places[places >= 0].tolist()
        self.cut = np.flatnonzero((first == LOST) | (second == LOST))
        """The cuts of the history: commits with a parent that was not collected."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def roots(self) -> Ints:
        """The commits that have no parents; those that the history is cut at are none."""
        are_roots = (self.first == NONE) & (self.second == NONE)
        are_roots[self.cut] = False
        return np.flatnonzero(are_roots)

    @cached_property
    def heads(self) -> Flags:
        """Marks the commits that are nobody's parents."""
        are_heads = np.ones(len(self) + 1, dtype=bool)
        for parents in (self.first, self.second, self._octopuses[1]):
            are_heads[parents] = False
        return are_heads[:-1]

    def place(self, commit: int) -> int:
        """The place of a commit by its id; NONE if it was not collected."""
        at = int(np.searchsorted(self.ids, commit))
        return at if at < len(self.ids) and self.ids[at] == commit else NONE

    def find(self, commits: Ints) -> Ints:
        """The places of commits by their ids; NONE for those that were not collected."""
        if not len(self):
            return np.full(len(commits), NONE, dtype=np.int64)
        starts, bits = self._starts
        guess = starts[commits >> bits]
        places = np.where(self.ids[guess] == commits, guess, NONE)
        left = np.flatnonzero((places < 0) & (commits >= 0))
        places[left] = find(self.ids, commits[left])
        return places

    @cached_property
    def _starts(self) -> tuple[Ints, int]:
        """The first place of each way in which an id begins, and the bits beyond that beginning.

        Ids are as if drawn by lot, so most are found there at once.
        """
        beginnings = len(self).bit_length() + 2
        bits = ID_BITS - beginnings
        counts = np.bincount(self.ids >> bits, minlength=2**beginnings)
        return (np.cumsum(counts) - counts).clip(max=len(self) - 1), bits

    def places_of(self, commits: Iterable[int]) -> dict[int, int]:
        """The places of commits by their ids; NONE for those that were not collected."""
        ids = list(commits)
        places = find(self.ids, np.array(ids, dtype=np.int64))
        return dict(zip(ids, places.tolist(), strict=True))

    @cached_property
    def _parents(self) -> tuple[list[int], list[int]]:
        """First and second parents as Python reads them quickest, one by one."""
        return self.first.tolist(), self.second.tolist()

    def first_reached(self, tips: Iterable[int], *, few: int = _FEW) -> Ints:
        """For each commit the position of the first tip it is reachable from, or NEVER.

        A tip of NONE reaches nothing. All tips go down in step at first, until only a `few` do.
        """
        reached = np.full(len(self) + 1, NEVER, dtype=np.int64)
        reached[NONE] = NONE  # so that nothing goes on from where there is no parent
        which = np.empty(len(reached), dtype=np.int64)
        merges, more = self._octopuses
        at = np.fromiter(tips, dtype=np.int64)
        positions = np.arange(len(at))
        for _ in range(_STEPS):
            if len(at) <= few:
                break
            np.minimum.at(reached, at, positions)
            at = at[reached[at] == positions]
            which[at] = np.arange(len(at))
            at = at[which[at] == np.arange(len(at))]  # each of them once
            by = reached[at]
            at = np.concatenate([self.first[at], self.second[at], more])
            positions = np.concatenate([by, by, reached[merges]])
            sooner = positions < reached[at]
            at, positions = at[sooner], positions[sooner]
        left = sorted(zip(positions.tolist(), at.tolist(), strict=True))
        self.walk(left, one_by_one(reached))
        return reached[: len(self)]

    @cached_property
    def _octopuses(self) -> tuple[Ints, Ints]:
        """The merges of more than two parents, and those beyond the second: pairs of places."""
        pairs = [(commit, parent) for commit, of in self.others.items() for parent in of]
        merges, more = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return merges, more

    def walk(self, tips: Iterable[tuple[int, int]], reached: MutableSequence[int]) -> None:
        """Note at all that is reachable from tips, by position, that it was reached by then.

        From each tip to the parents, stopping at what an earlier one reached. What reaches a
        commit by what is noted already must have reached its parents too, or they are tips.
        """
        (first, second), others = self._parents, self.others
        for position, tip in tips:
            stack = [tip]
            while stack:
                commit = stack.pop()
                while commit >= 0 and reached[commit] > position:
                    reached[commit] = position
                    if second[commit] >= 0:
                        stack.append(second[commit])
                    if others and commit in others:
                        stack.extend(others[commit])
                    commit = first[commit]

    def first_parents(self, tip: int) -> list[int]:
        """A commit and its line of first parents, newest first.

        It ends before a commit that stands in it already: what a source tells may go in circles.
        """
        first, _ = self._parents
        line: dict[int, None] = {}
        while tip >= 0 and tip not in line:
            line[tip] = None
            tip = first[tip]
        return list(line)

    def longest_line(self, tips: Iterable[int]) -> list[int]:
        """The line of first parents of that tip which has the most of them, oldest first."""
        first, _ = self._parents
        length = [0] * len(self)
        longest = NONE
        for tip in tips:
            way, commit = [], tip
            while commit >= 0 and not length[commit]:
                length[commit] = NONE  # on the way: it may come by here again
                way.append(commit)
                commit = first[commit]
            before = max(length[commit], 0) if commit >= 0 else 0
            for more, passed in enumerate(reversed(way), 1):
                length[passed] = before + more
            if tip >= 0 and (longest < 0 or length[tip] > length[longest]):
                longest = tip
        return self.first_parents(longest)[::-1]

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
            for parent in self._all_parents(at):
                if parent >= 0 and parent not in seen and reached[parent] >= floor:
                    seen.add(parent)
                    stack.append(parent)
        return False

    def _all_parents(self, commit: int) -> Iterator[int]:
        first, second = self._parents
        yield first[commit]
        yield second[commit]
        yield from self.others.get(commit, ())

    def parents_of(self, commit: int) -> list[int]:
        """The places of a commit's parents that were collected."""
        return [parent for parent in self._all_parents(commit) if parent >= 0]

    def children_of(self, commit: int) -> list[int]:
        """The places of the commits that have it as a parent, each as often as it does."""
        parents, children = self._children
        begin, end = np.searchsorted(parents, [commit, commit + 1])
        found: list[int] = children[begin:end].tolist()
        return found

    @cached_property
    def _children(self) -> tuple[Ints, Ints]:
        """Pairs of a parent and a child, by the parents' places."""
        places = np.arange(len(self))
        merges, more = self._octopuses
        parents = np.concatenate([self.first, self.second, more])
        order = np.argsort(parents, kind="stable")
        return parents[order], np.concatenate([places, places, merges])[order]


class MainLine:
    """The commits of a graph numbered along its main line, once for many services.

    A service deploys the main line mostly, so what first reached a commit is read off the number
    of the commit; only tips beside the line are walked from.
    """

    def __init__(self, graph: Graph, tips: Iterable[int]) -> None:
        """Number the commits along the longest line of first parents from any of the tips."""
        self._graph = graph
        line = graph.longest_line(tips)
        self._length = len(line)
        # One more for a tip of NONE, which is the last place of all.
        self._place_on_line = np.full(len(graph) + 1, NONE, dtype=np.int64)
        self._place_on_line[line] = np.arange(len(line))
        self._held_from = np.minimum(graph.first_reached(line), len(line))

    def first_reached(self, tips: Sequence[int]) -> Ints:
        """For each commit the position of the first tip it is reachable from, or NEVER."""
        on_line = self._place_on_line[np.array(tips, dtype=np.int64)]
        newest = np.maximum.accumulate(on_line)
        first = np.searchsorted(newest, np.arange(self._length + 1))
        first[first == len(tips)] = NEVER
        first[self._length] = NEVER
        reached: Ints = first[self._held_from]
        beside = np.flatnonzero(on_line < 0).tolist()
        self._graph.walk(((at, tips[at]) for at in beside), one_by_one(reached))
        return reached
