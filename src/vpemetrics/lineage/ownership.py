"""The owners of commits: pull requests, or nobody (rule C1).

A commit belongs to the earliest-merged pull request that lists it or was merged by it; a
cherry-pick belongs to the change of what it was picked from.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np

from vpemetrics.lineage.changes import Changes, IdLists
from vpemetrics.lineage.commits import Commits
from vpemetrics.lineage.graph import NEVER, Flags, Graph, Ints, find
from vpemetrics.lineage.imports import Imports, find_imports
from vpemetrics.lineage.rows import NONE
from vpemetrics.window import MISSING

Column = TypeVar("Column", Ints, Flags)


class AnyChange(NamedTuple):
    """A change: a pull request's position, or NONE and a direct commit's place."""

    position: int
    commit: int = NONE


class Places:
    """Commits by place: those of a graph, and after them those that are only named.

    The place after all of these stands for what nobody knows.
    """

    def __init__(self, graph: Graph, named: Ints) -> None:
        """Give places to ids that are named and were not collected."""
        self.named = graph.find(named)
        """The places of all that is named."""
        self._collected = graph.ids
        left = np.flatnonzero(self.named < 0)
        others, which = np.unique(named[left], return_inverse=True)
        self._others = others[others >= 0]
        self.ids = np.concatenate([self._collected, self._others])
        numbers = np.arange(len(others)) + len(self.ids) - len(others)
        self.named[left] = np.where(others >= 0, numbers, len(self))[which]

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, commit: int) -> int:
        """The place of one commit by its id."""
        return int(self.find(np.array([commit]))[0])

    def find(self, ids: Ints) -> Ints:
        """The places of commits by their ids."""
        places = find(self._collected, ids)
        left = np.flatnonzero(places < 0)
        if len(left):
            others = find(self._others, ids[left])
            places[left] = np.where(others < 0, len(self), others + len(self._collected))
        return places


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Pull requests with commits they list: pairs of positions and places, in order."""

    changes: Ints
    commits: Ints

    def where(self, wanted: Flags) -> "Listing":
        """Some of the pairs."""
        return Listing(changes=self.changes[wanted], commits=self.commits[wanted])


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """The owners of commits, by place: pull requests by position, or NONE.

    `own` lists the original commits of each pull request that are its own, merge commits apart;
    `empty` has commits, none of them its own, or is a back-port, and so is no change; `is_backport`
    says that it is one, or has nothing but cherry-picks of others' commits. `importing`
    brought in another repository's history, which is nobody's.
    `undecided` are commits of which it is open whose they will be. `picks` are the cherry-picks of
    commits, `roots` of each commit itself or what it counts as. `carriers` are pairs of pull
    requests: the first was merged into another branch, and the later second carries it on.
    """

    graph: Graph
    commits: Commits
    changes: Changes
    places: Places
    owner: Ints
    merges: Ints
    """The place of what each pull request was merged as."""
    own: Listing
    empty: Flags
    is_backport: Flags
    importing: Flags
    imports: Imports
    undecided: Flags
    picks: Mapping[int, list[int]] = field(default_factory=dict)
    roots: Ints
    carriers: list[tuple[int, int]]

    @cached_property
    def authored_at(self) -> Ints:
        """Author dates by place; MISSING for what was not collected."""
        return _padded(self.commits.authored_at, self.places, MISSING)

    @cached_property
    def own_counts(self) -> Ints:
        """The number of commits that each pull request has of its own."""
        return np.bincount(self.own.changes, minlength=len(self.changes))

    @cached_property
    def direct_candidates(self) -> Ints:
        """The places of collected commits that are no pull request's and no merges.

        But for merges of another repository's history: these are the change that it is here.
        """
        count = len(self.graph)
        nobodys = (self.owner[:count] == NONE) & ~self.undecided[:count]
        may_be = ~self.graph.is_merge | self.imports.history
        may_be[self.imports.merges] = True
        return np.flatnonzero(nobodys & may_be)

    def owner_of(self, commit: int) -> int:
        """The position of the pull request that a commit, by its id, belongs to, or NONE."""
        return int(self.owner[self.places.place(commit)])

    def change_of(self, commit: int) -> AnyChange:
        """The change that a commit, by its id, belongs to, is, or was picked from."""
        return self._changes_of([commit])[0]

    def is_undecided(self, commit: int) -> bool:
        """Tell whether it is open whose a commit will be, by its id."""
        return bool(self.undecided[self.places.place(commit)])

    def root_of(self, commit: int) -> int:
        """The id of what nobody's commit counts as: what it was picked from, or itself."""
        return int(self.places.ids[self.roots[self.places.place(commit)]])

    def picks_of(self, commit: int) -> list[int]:
        """The ids of the cherry-picks of a commit, by its id."""
        return [int(self.places.ids[at]) for at in self.picks.get(self.places.place(commit), ())]

    def own_of(self, position: int) -> list[int]:
        """The ids of a pull request's own commits."""
        first, last = np.searchsorted(self.own.changes, [position, position + 1])
        ids: list[int] = self.places.ids[self.own.commits[first:last]].tolist()
        return ids

    def most_of_own(self, values: Ints, otherwise: int) -> Ints:
        """The largest value among each pull request's own commits, of values by place."""
        return self._reduced(np.maximum, values, otherwise)

    def least_of_own(self, values: Ints, otherwise: int) -> Ints:
        """The smallest value among each pull request's own commits, of values by place."""
        return self._reduced(np.minimum, values, otherwise)

    def _reduced(self, by: np.ufunc, values: Ints, otherwise: int) -> Ints:
        found = np.full(len(self.changes), otherwise, dtype=np.int64)
        has_own = self.own_counts > 0
        if has_own.any():
            starts = (np.cumsum(self.own_counts) - self.own_counts)[has_own]
            found[has_own] = by.reduceat(values[self.own.commits], starts)
        return found

    @cached_property
    def author_kinds(self) -> Ints:
        """The kinds of the authors of pull requests; unknown: of their oldest commits' authors."""
        return self._told_by_oldest(self.changes.author_kinds, self.commits.author_kinds, 0)

    @cached_property
    def authors(self) -> Ints:
        """The authors of pull requests, by key; unknown: of their oldest commits."""
        return self._told_by_oldest(self.changes.authors, self.commits.authors, MISSING)

    def _told_by_oldest(self, said: Ints, by_commit: Ints, unknown: int) -> Ints:
        """Values of pull requests; where one is unknown that of the oldest commit, or squash."""
        lacking = said == unknown
        if not lacking.any():
            return said
        count = len(self.graph)
        alone = np.flatnonzero(lacking & (self.own_counts == 0) & (self.merges < count))
        shown = self.own.where(lacking[self.own.changes] & (self.own.commits < count))
        positions = np.concatenate([shown.changes, alone])
        commits = np.concatenate([shown.commits, self.merges[alone]])
        values = by_commit[commits]
        order = np.lexsort((values, self.commits.authored_at[commits], positions))
        of, first = np.unique(positions[order], return_index=True)
        told = said.copy()
        told[of] = values[order][first]
        return told

    @cached_property
    def marked(self) -> Flags:
        """The pull requests whose text, commits or squash name a tool in a trailer (rule C7)."""
        by_place = _padded(self.commits.marked, self.places, otherwise=False)
        own = np.zeros(len(self.changes), dtype=bool)
        own[self.own.changes[by_place[self.own.commits]]] = True
        return self.changes.marked | own | by_place[self.merges]

    @cached_property
    def reverts(self) -> list[tuple[AnyChange, AnyChange]]:
        """Each reverting change with what it takes back, named by a commit or by the pull request.

        A commit that reverts a revert is none.
        """
        reverts = self.commits.reverts
        told = [(by, of) for by, named in reverts.items() for of in named if of not in reverts]
        pairs = dict.fromkeys(
            zip(*(self._changes_of(commits) for commits in zip(*told, strict=True)), strict=True)
        )
        for at, keys in self.changes.reverts.items():
            for key in keys:
                if found := self.changes.of_key(key):
                    pairs[AnyChange(at), AnyChange(found[-1])] = None
        return list(pairs)

    def _changes_of(self, commits: Iterable[int]) -> list[AnyChange]:
        """The changes that commits, by their ids, belong to or are."""
        places = self.places.find(np.array(list(commits), dtype=np.int64))
        owners, roots = self.owner[places].tolist(), self.roots[places].tolist()
        return [
            AnyChange(NONE, root) if owner == NONE else AnyChange(owner)
            for owner, root in zip(owners, roots, strict=True)
        ]

    def is_revert(self, change: AnyChange) -> bool:
        """Tell whether a change is nothing but reverts itself."""
        position, commit = change
        if position == NONE:
            return self._id(commit) in self.commits.reverts
        if position in self.changes.reverts:
            return True
        commits = self.own_of(position) or [int(self.changes.merge_commits[position])]
        return all(sha in self.commits.reverts for sha in commits)

    def _id(self, place: int) -> int:
        return int(self.places.ids[place]) if place < len(self.places) else NONE


def assign_owners(
    graph: Graph, commits: Commits, changes: Changes, newest: Iterable[int] = ()
) -> Ownership:
    """Sort out the commits of a graph among the pull requests of its repositories.

    `newest` are the places of their newest commits, where main lines are followed from.
    """
    by_id = (changes.lists.ids, changes.merge_commits, changes.proposed)
    places = Places(graph, np.concatenate(by_id))
    listed_commits, merges, proposed = np.split(places.named, np.cumsum([*map(len, by_id)])[:2])
    listed = Listing(changes=changes.lists.owners, commits=listed_commits)
    brought = _brought_by_merges(graph, changes, merges)
    everything = _in_order(listed, brought)
    is_merge = _padded(graph.is_merge.astype(np.int64), places, 0) > 0
    owner = _first_claims(
        len(changes),
        len(places),
        everything,
        Listing(changes=np.arange(len(changes)), commits=merges),
        *_rebased(graph, commits, listed.where(~is_merge[listed.commits]), merges, len(changes)),
    )
    imports = find_imports(graph, newest)
    importing = np.zeros(len(changes), dtype=bool)
    if len(imports.merges):
        is_imported = _padded(imports.history.astype(np.int64), places, 0) > 0
        # What was merged there is this repository's by its source's word.
        taken = np.flatnonzero(is_imported & (owner != NONE))
        taken = taken[~is_imported[merges[owner[taken]]]]
        importing[owner[taken]] = True
        owner[taken] = NONE
    undecided = np.zeros(len(places) + 1, dtype=bool)
    undecided[proposed] = True
    undecided &= owner == NONE
    own = (owner[everything.commits] == everything.changes) & ~is_merge[everything.commits]
    hand_over = _PickHandover(graph, commits, places, owner, undecided)
    hand_over.run()
    own &= ~hand_over.disowned[everything.commits]
    own_commits = everything.where(own)
    has_own = np.bincount(own_commits.changes, minlength=len(changes)) > 0
    lists_any = np.bincount(everything.changes, minlength=len(changes)) > 0
    merged_by_others = (changes.merge_commits != NONE) & (owner[merges] != np.arange(len(changes)))
    is_backport = np.zeros(len(changes), dtype=bool)
    is_backport[list(hand_over.losers)] = True
    is_backport &= ~has_own
    is_backport[list(changes.originals)] = True
    return Ownership(
        graph=graph,
        commits=commits,
        changes=changes,
        places=places,
        owner=owner,
        merges=merges,
        own=own_commits,
        empty=(~has_own & ~importing & (lists_any | merged_by_others)) | is_backport,
        is_backport=is_backport,
        importing=importing,
        imports=imports,
        undecided=undecided,
        picks=dict(hand_over.picks),
        roots=hand_over.roots,
        carriers=_carriers(listed, merges, owner, own_commits, len(places)),
    )


def _padded(values: Column, places: Places, otherwise: int) -> Column:
    """Values of collected commits, and the same one for all that are only named, or unknown."""
    rest = np.full(len(places) + 1 - len(values), otherwise, dtype=values.dtype)
    return np.concatenate([values, rest])


def _in_order(*listings: Listing) -> Listing:
    changes = np.concatenate([listing.changes for listing in listings])
    commits = np.concatenate([listing.commits for listing in listings])
    if not len(listings[-1].changes):
        return Listing(changes=changes, commits=commits)
    order = np.argsort(changes, kind="stable")
    return Listing(changes=changes[order], commits=commits[order])


def _first_claims(changes: int, places: int, *claims: Listing) -> Ints:
    """For each place the first pull request that claims it, or NONE."""
    owner = np.full(places + 1, changes, dtype=np.int64)
    for claim in claims:
        np.minimum.at(owner, claim.commits, claim.changes)
    owner[places] = changes
    owner[owner == changes] = NONE
    return owner


def _brought_by_merges(graph: Graph, changes: Changes, merges: Ints) -> Listing:
    """The commits that pull requests without a list brought to the main line.

    The main line is the first parents of the last merge; a commit came with the first commit of
    the main line that reaches it.
    """
    collected = merges < len(graph)
    told = np.flatnonzero((changes.lists.counts == 0) & collected)
    told = told[graph.is_merge[merges[told]]]
    if not len(told):
        return Listing(changes=told, commits=told)
    line = graph.first_parents(int(merges[collected][-1]))[::-1]
    came_with = graph.first_reached(line)
    on_line = np.full(len(graph), NONE, dtype=np.int64)
    on_line[line] = np.arange(len(line))
    told = told[on_line[merges[told]] >= 0]
    order = np.argsort(came_with, kind="stable")
    brought = IdLists(
        counts=np.bincount(came_with[came_with < NEVER], minlength=len(line)), ids=order
    ).take(on_line[merges[told]])
    found = Listing(changes=told[brought.owners], commits=brought.ids)
    return found.where(found.commits != merges[found.changes])


def _rebased(
    graph: Graph, commits: Commits, listed: Listing, merges: Ints, count: int
) -> Iterable[Listing]:
    """The copies that rebases made of listed commits, merges apart: they keep their author dates.

    From the last one down, all pull requests in lock step, each as long as its copies match.
    """
    lengths = np.bincount(listed.changes, minlength=count)
    ends = np.cumsum(lengths)
    as_listed = listed.changes[listed.commits == merges[listed.changes]]
    collected, authored_at = len(graph), commits.authored_at
    candidates = (lengths >= 2) & (merges < collected)
    candidates[as_listed] = False
    changes = np.flatnonzero(candidates)
    copies, step = merges[changes], 0
    while len(changes):
        step += 1
        originals = listed.commits[ends[changes] - step]
        alike = (originals < collected) & ~graph.is_merge[copies]
        alike[alike] = authored_at[originals[alike]] == authored_at[copies[alike]]
        alike[alike] = authored_at[copies[alike]] != MISSING
        changes, copies = changes[alike], copies[alike]
        yield Listing(changes=changes, commits=copies)
        copies = graph.first[copies]
        goes_on = (copies >= 0) & (lengths[changes] > step)
        changes, copies = changes[goes_on], copies[goes_on]


class _PickHandover:
    """Cherry-picks handed over to the owners of what they were picked from; there are few."""

    def __init__(
        self, graph: Graph, commits: Commits, places: Places, owner: Ints, undecided: Flags
    ) -> None:
        picks, sources = (
            np.array(sorted(commits.picked_from.items()), dtype=np.int64).reshape(-1, 2).T
        )
        told = places.find(picks).tolist(), places.find(sources).tolist()
        self._picked_from = dict(zip(*told, strict=True))
        self._collected, self._owner, self._undecided = len(graph), owner, undecided
        self.picks: dict[int, list[int]] = defaultdict(list)
        self.roots = np.arange(len(places) + 1)
        self.disowned = np.zeros(len(places) + 1, dtype=bool)
        """Places of commits that were an owner's and are so no longer."""
        self.losers: set[int] = set()
        """The positions of pull requests that lost commits so."""

    def run(self) -> None:
        """Change owners, in the order of the picks' ids."""
        owner, undecided = self._owner, self._undecided
        for pick in self._picked_from:
            root = self._root(pick)
            if root == pick:
                continue
            self.picks[root].append(pick)
            before, to = int(owner[pick]), int(owner[root])
            if undecided[root]:  # nobody's yet: who lists the pick keeps it
                undecided[pick] |= before == NONE
                continue
            self.disowned[pick] = before not in (NONE, to)
            self.losers.update({before} - {NONE, to})
            owner[pick] = to
            if to == NONE:
                self.roots[pick] = root

    def _root(self, pick: int) -> int:
        """The place of the first known commit in a chain of picks."""
        seen = {pick}
        while pick in self._picked_from:
            source = self._picked_from[pick]
            known = source < self._collected or self._owner[source] != NONE
            if source in seen or not known:
                break
            seen.add(source)
            pick = source
        return pick


def _carriers(
    listed: Listing, merges: Ints, owner: Ints, own: Listing, count: int
) -> list[tuple[int, int]]:
    """Pull requests with later ones that list their merge commit, or all commits of their own."""
    merged_by = np.full(count + 1, NONE, dtype=np.int64)
    merged_by[merges] = np.arange(len(merges))
    merged_by[count] = NONE
    carried = merged_by[listed.commits]
    pairs = set(_pairs(carried, listed.changes, (carried >= 0) & (carried < listed.changes)))
    owners = owner[listed.commits]
    others = listed.where((owners >= 0) & (owners < listed.changes))
    if not len(others.changes):
        return sorted(pairs)
    originals: dict[int, set[int]] = defaultdict(set)
    wanted = np.unique(owner[others.commits])
    mine = own.where(np.isin(own.changes, wanted))
    for at, commit in zip(mine.changes.tolist(), mine.commits.tolist(), strict=True):
        originals[at].add(commit)
    lists: dict[tuple[int, int], set[int]] = defaultdict(set)
    columns = (owner[others.commits], others.changes, others.commits)
    for at, by, commit in zip(*(column.tolist() for column in columns), strict=True):
        lists[at, by].add(commit)
    pairs.update(
        pair for pair, shown in lists.items() if (own_ := originals[pair[0]]) and shown >= own_
    )
    return sorted(pairs)


def _pairs(one: Ints, other: Ints, wanted: Flags) -> Iterable[tuple[int, int]]:
    return zip(one[wanted].tolist(), other[wanted].tolist(), strict=True)
