"""Pull requests as columns, in the order in which they were merged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vpemetrics.lineage.graph import Flags, Ints
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

    `is_bot` is -1 where nobody says so, `merge_commits` NONE where it is not known. What few of
    them have is by position. `proposed` are the commits that pull requests list which are open.
    `beside` are columns that decide nothing here, and go along with what is shipped.
    """

    ids: Ints
    keys: Sequence[str]
    is_bot: Ints
    first_commit_at: Ints
    merged_at: Ints
    merge_commits: Ints
    lists: IdLists
    on_other_branch: Flags
    head_branches: Sequence[str | None] = ()
    labels: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    reverts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    closes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    proposed: Ints
    beside: Mapping[str, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def by_key(self) -> Mapping[str, list[int]]:
        """The positions of the pull requests of each key; two sources may give the same."""
        found: dict[str, list[int]] = {}
        for at, key in enumerate(self.keys):
            found.setdefault(key, []).append(at)
        return found

    def hotfixes(self, labels: Iterable[str], branches: Iterable[str]) -> set[int]:
        """The positions of those that are a hotfix by label or branch (rule F4)."""
        told = matching({label for own in self.labels.values() for label in own}, labels)
        labelled = {at for at, own in self.labels.items() if not told.isdisjoint(own)}
        named = matching(filter(None, self.head_branches), branches)
        if not named:
            return labelled
        return labelled.union(at for at, name in enumerate(self.head_branches) if name in named)


def merge_order(ids: Ints, keys: Sequence[str], merged_at: Ints) -> Ints:
    """The positions of merged pull requests in order: by merge, ties by key.

    Keys are texts, which take long to sort, so only those of ties are looked at.
    """
    order = np.lexsort((ids, merged_at))
    order = order[merged_at[order] != MISSING]
    same = np.diff(merged_at[order]) == 0
    tied = order[np.r_[False, same] | np.r_[same, False]] if len(order) else order
    rank = np.zeros(len(ids), dtype=np.int64)
    rank[sorted(tied.tolist(), key=lambda at: (keys[at], int(ids[at])))] = np.arange(len(tied))
    in_order: Ints = order[np.lexsort((rank[order], merged_at[order]))]
    return in_order
