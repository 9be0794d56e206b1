"""Pull requests as columns, in the order in which they were merged."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vpemetrics.lineage.graph import Flags, Ints
from vpemetrics.lineage.order import Texts, time_order
from vpemetrics.rules import matching
from vpemetrics.window import MISSING


@dataclass(frozen=True, kw_only=True)
class IdLists:
    """Lists of ids, one after the other: `counts` says how long each of them is."""

    counts: Ints
    ids: Ints

    @cached_property
    def owners(self) -> Ints:
        """For each id the position of the list that it is in."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def starts(self) -> Ints:
        """The place at which each list begins, and at last the end of all of them."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    def of(self, position: int) -> list[int]:
        """One list."""
        listed: list[int] = self.ids[self.starts[position] : self.starts[position + 1]].tolist()
        return listed

    def take(self, positions: Ints) -> "IdLists":
        """Some of the lists, in another order."""
        counts = self.counts[positions]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return IdLists(
            counts=counts, ids=self.ids[np.repeat(self.starts[:-1][positions], counts) + within]
        )


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Merged pull requests as columns, the earliest first; `lists` are their original commits.

    `authors` are keys, `author_kinds` places in AUTHOR_KINDS, of `marked` ones the text names a
    tool, `merge_commits` NONE where it is not known, `other_branches` numbers the branches that
    they are for, NONE being the default one. What few of them have is by position. `odd_backports`
    may be back-ports, in words that are not known here. `proposed` are the commits that pull
    requests list which are open.
    `beside` are columns that decide nothing here, and go along with what is shipped.
    """

    ids: Ints
    keys: Sequence[str]
    authors: Ints
    author_kinds: Ints
    marked: Flags
    first_commit_at: Ints
    merged_at: Ints
    merge_commits: Ints
    lists: IdLists
    other_branches: Ints
    head_branches: Sequence[str | None] = ()
    labels: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    reverts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    closes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    backports: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    odd_backports: Collection[int] = ()
    proposed: Ints
    beside: Mapping[str, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def on_other_branch(self) -> Flags:
        """Marks those for another branch than the default one."""
        other: Flags = self.other_branches >= 0
        return other

    def of_key(self, key: str) -> Sequence[int]:
        """The positions of the pull requests of a key, in order; two sources may give the same."""
        if key in self._of_several:
            return self._of_several[key]
        at = self._latest.get(key)
        return () if at is None else (at,)

    @cached_property
    def _latest(self) -> Mapping[str, int]:
        return dict(zip(self.keys, range(len(self)), strict=True))

    @cached_property
    def _of_several(self) -> Mapping[str, list[int]]:
        """The positions of those that share their key with another; seldom are there any."""
        found: dict[str, list[int]] = defaultdict(list)
        if len(self._latest) < len(self):
            for at, key in enumerate(self.keys):
                found[key].append(at)
        return {key: positions for key, positions in found.items() if len(positions) > 1}

    @cached_property
    def originals(self) -> Mapping[int, list[int]]:
        """The positions of what each back-port brings to another branch, by its own (rule C4).

        Of a back-port of a back-port the first known one; none of what was never merged.
        """
        named = {
            at: [place for key in keys for place in self.of_key(key) if place != at]
            for at, keys in self.backports.items()
        }
        found = {at: sorted(_ends(at, named) - {at}) for at in named}
        return {at: ends for at, ends in found.items() if ends}

    def hotfixes(self, labels: Iterable[str], branches: Iterable[str]) -> set[int]:
        """The positions of those that are a hotfix by label or branch (rule F4)."""
        told = matching({label for own in self.labels.values() for label in own}, labels)
        labelled = {at for at, own in self.labels.items() if not told.isdisjoint(own)}
        named = matching(filter(None, self.head_branches), branches)
        if not named:
            return labelled
        return labelled.union(at for at, name in enumerate(self.head_branches) if name in named)


def merge_order(ids: Ints, keys: Texts, merged_at: Ints) -> Ints:
    """The positions of merged pull requests in order: by merge, ties by key."""
    merged = np.flatnonzero(merged_at != MISSING)
    in_order: Ints = merged[time_order(merged_at[merged], keys[merged], ids[merged])]
    return in_order


def _ends(start: int, named: Mapping[int, Sequence[int]]) -> set[int]:
    """The places that names lead to in the end; one in a circle is none."""
    ends, seen, todo = set[int](), {start}, [start]
    while todo:
        at = todo.pop()
        if not named.get(at):
            ends.add(at)
        for following in named.get(at, ()):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return ends
