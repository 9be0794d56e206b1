"""Changes and their commits, and what first shipped them (rules C1 to C3)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from vpemetrics.lineage.graph import Graph
from vpemetrics.lineage.rows import NONE, ChangeRow
from vpemetrics.window import MISSING, Micros

NEVER: Final = 2**62
SETTLED: Final = -2
"""Stands for a pull request that was dealt with before and is not looked at again."""

AnyChange = tuple[int, int]
"""A change: a pull request's position, or NONE and a direct commit's id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitFacts:
    """Facts about the commits of a graph beside their parents, by local index."""

    authored_at: Sequence[Micros]
    is_bot: Sequence[int]
    reverts: Mapping[int, int] = field(default_factory=dict)
    """Commit index to the id of the commit it reverts."""
    picked_from: Mapping[int, int] = field(default_factory=dict)
    """Commit index to the id of the commit it was picked from."""
    paths: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Commit index to the paths it touches, where they are known."""


class Ownership:
    """Owners of commits: pull requests by position in `changes`, or nobody.

    A commit belongs to the earliest-merged pull request that lists it or was merged by it;
    a cherry-pick belongs to the change of what it was picked from.
    """

    def __init__(
        self,
        graph: Graph,
        facts: CommitFacts,
        rows: Iterable[ChangeRow],
        owned: Mapping[int, int] | None = None,
    ) -> None:
        """Sort out the commits of a graph among the pull requests of its repositories.

        `owned` is what was sorted out before: ids of commits with those of pull requests, of
        which `rows` are then only some.
        """
        rows = list(rows)
        self.graph = graph
        self.facts = facts
        self.changes: list[ChangeRow] = sorted(
            (row for row in rows if row.merged_at != MISSING),
            key=lambda row: (row.merged_at, row.key, row.id),
        )
        place = {row.id: at for at, row in enumerate(self.changes)}
        self.owner: dict[int, int] = {
            sha: place.get(change, SETTLED) for sha, change in (owned or {}).items()
        }
        self._merges = frozenset(graph.ids[graph.is_merge].tolist())
        self.originals: list[list[int]] = []
        """Ids of a pull request's own original commits, merge commits apart."""
        self._sides = self._merged_sides()
        for at, change in enumerate(self.changes):
            self._claim(at, change)
        self.undecided: set[int] = {
            sha
            for row in rows
            if row.merged_at == MISSING and row.closed_at == MISSING
            for sha in row.commits
            if sha not in self.owner
        }
        self.picks: dict[int, list[int]] = defaultdict(list)
        self.pick_roots: dict[int, int] = {}
        self._hand_over_picks()
        index, beyond = graph.index, len(graph)
        self.places: list[list[int]] = [
            [index.get(sha, beyond) for sha in own] for own in self.originals
        ]
        """Local indices of a pull request's own original commits."""

    def place(self, sha: int) -> int:
        """The local index of a commit; one beyond the graph if it was not collected."""
        return self.graph.index.get(sha, len(self.graph))

    def _claim(self, at: int, change: ChangeRow) -> None:
        owner = self.owner
        listed = change.commits or self._sides.get(change.merge_commit, ())
        mine = [sha for sha in listed if owner.setdefault(sha, at) == at]
        merges = self._merges
        self.originals.append([sha for sha in mine if sha not in merges])
        if change.merge_commit == NONE:
            return
        owner.setdefault(change.merge_commit, at)
        for sha in self.rebased(change):
            owner.setdefault(sha, at)

    def _merged_sides(self) -> dict[int, list[int]]:
        """The commits that pull requests without a list brought to the main line, by merge commit.

        The main line is the first parents of the last merge; a commit came with the first
        commit of the main line that reaches it.
        """
        graph = self.graph
        merges = {graph.index.get(c.merge_commit, NONE) for c in self.changes if not c.commits}
        merges = {at for at in merges if at >= 0 and graph.is_merge[at]}
        if not merges:
            return {}
        last = next(
            graph.index[change.merge_commit]
            for change in reversed(self.changes)
            if change.merge_commit in graph.index
        )
        line = graph.first_parents(last)[::-1]
        sides: dict[int, list[int]] = defaultdict(list)
        for commit, position in enumerate(graph.first_reached(line)):
            if position >= 0 and line[position] in merges and commit != line[position]:
                sides[int(graph.ids[line[position]])].append(int(graph.ids[commit]))
        return sides

    def rebased(self, change: ChangeRow) -> Iterable[int]:
        """The ids of the copies a rebase made, from the last down: they keep their author dates."""
        index, authored_at = self.graph.index, self.facts.authored_at
        copy = index.get(change.merge_commit, NONE)
        listed = [sha for sha in change.commits if sha not in self._merges]
        if copy < 0 or len(listed) < 2 or change.merge_commit in listed:
            return
        for sha in reversed(listed):
            original = index.get(sha, NONE)
            if original < 0 or copy < 0 or self.graph.is_merge[copy]:
                return
            if authored_at[original] == MISSING or authored_at[copy] != authored_at[original]:
                return
            yield int(self.graph.ids[copy])
            copy = self.graph.first[copy]

    def _hand_over_picks(self) -> None:
        for pick in self.facts.picked_from:
            sha = int(self.graph.ids[pick])
            root = self._root(pick)
            if root == sha:
                continue
            self.picks[root].append(sha)
            before, to = self.owner.get(sha), self.owner.get(root)
            if root in self.undecided:  # nobody's yet: who lists the pick keeps it
                self.undecided.update({sha} if before is None else ())
                continue
            if before not in (None, SETTLED, to) and sha in self.originals[before]:
                self.originals[before].remove(sha)
            if to is not None:
                self.owner[sha] = to
                continue
            self.owner.pop(sha, None)
            self.pick_roots[sha] = root

    def _root(self, pick: int) -> int:
        """The id of the first known commit in a chain of picks."""
        index, picked_from = self.graph.index, self.facts.picked_from
        sha = int(self.graph.ids[pick])
        seen = {sha}
        while (at := index.get(sha, NONE)) in picked_from:
            source = picked_from[at]
            if source in seen or (source not in index and source not in self.owner):
                break
            seen.add(source)
            sha = source
        return sha

    @cached_property
    def carriers(self) -> dict[int, list[int]]:
        """For a pull request, later ones that list its merge commit, or all commits of its own."""
        merged_by = {c.merge_commit: at for at, c in enumerate(self.changes)}
        carriers: dict[int, list[int]] = defaultdict(list)
        for at, change in enumerate(self.changes):
            for carried in self._carried(at, change, merged_by):
                if carried < at:
                    carriers[carried].append(at)
        return dict(carriers)

    def _carried(self, at: int, change: ChangeRow, merged_by: Mapping[int, int]) -> set[int]:
        found = {merged_by[sha] for sha in change.commits if sha in merged_by}
        listed = {self.owner.get(sha, at) for sha in change.commits} - {at, SETTLED}
        if not listed:
            return found
        commits, own = set(change.commits), self.originals
        return found | {one for one in listed if own[one] and commits.issuperset(own[one])}

    @cached_property
    def reverts(self) -> list[tuple[AnyChange, AnyChange]]:
        """Each reverting change with what it takes back, named by a commit or by the pull request.

        A commit that reverts a revert is none. Those of settled pull requests are left out.
        """
        index, ids, reverts = self.graph.index, self.graph.ids, self.facts.reverts
        pairs: dict[tuple[AnyChange, AnyChange], None] = {}
        for commit, target in reverts.items():
            if index.get(target, NONE) not in reverts:
                pairs[self._change_of(int(ids[commit])), self._change_of(target)] = None
        by_key = {change.key: at for at, change in enumerate(self.changes)}
        for at, change in enumerate(self.changes):
            for key in change.reverts:
                if key in by_key:
                    pairs[(at, NONE), (by_key[key], NONE)] = None
        return list(pairs)

    def _change_of(self, sha: int) -> AnyChange:
        owner = self.owner.get(sha)
        return (NONE, self.pick_roots.get(sha, sha)) if owner is None else (owner, NONE)

    def direct_candidates(self) -> list[int]:
        """The indices of commits that are no pull request's and no merges."""
        is_merge, owner, undecided = self.graph.is_merge, self.owner, self.undecided
        return [
            commit
            for commit, sha in enumerate(self.graph.ids.tolist())
            if sha not in owner and not is_merge[commit] and sha not in undecided
        ]

    def is_empty(self, at: int) -> bool:
        """Tell whether a pull request has commits, none of them its own: then it is no change."""
        if self.originals[at]:
            return False
        change = self.changes[at]
        if change.commits or change.merge_commit in self._sides:
            return True
        return change.merge_commit != NONE and self.owner.get(change.merge_commit) != at

    def is_bot(self, at: int) -> bool:
        """Tell whether a bot made the pull request; unknown: whether one made its oldest commit."""
        change = self.changes[at]
        if change.is_bot is not None:
            return change.is_bot
        places = self.places[at] or [self.place(change.merge_commit)]
        authored_at, is_bot = self.facts.authored_at, self.facts.is_bot
        known = [(authored_at[p], is_bot[p]) for p in places if p < len(authored_at)]
        return bool(known) and min(known)[1] == 1

    def author_dates(self, at: int) -> list[Micros]:
        """The known author dates of a pull request's own original commits, earliest first."""
        authored_at = self.facts.authored_at
        dates = [authored_at[place] for place in self.places[at] if place < len(authored_at)]
        return sorted([date for date in dates if date != MISSING])


@dataclass(frozen=True, kw_only=True, slots=True)
class Mine:
    """A service's part of a history: pull requests by position, direct commits by index."""

    changes: Sequence[int]
    commits: Sequence[int]


class Belonging:
    """The changes of a history sorted among services with path patterns (rules D6 and C2).

    One commit that touches the paths is enough; one of unknown paths is taken to touch them.
    """

    def __init__(self, ownership: Ownership) -> None:
        """Note which changes each path speaks for, once for all services of a history."""
        self._all = Mine(
            changes=range(len(ownership.changes)), commits=ownership.direct_candidates()
        )
        self._ownership = ownership

    def of(self, belongs: Callable[[str], bool] | None) -> Mine:
        """The part that is a service's by a test of its paths; all of it without one."""
        if belongs is None:
            return self._all
        touching = {
            place for path, places in self._touched.items() if belongs(path) for place in places
        }
        changes = {at for place in touching for at in self._speaks_for.get(place, ())}
        paths = self._ownership.facts.paths
        return Mine(
            changes=sorted(changes | self._everybodys),
            commits=[c for c in self._all.commits if c in touching or c not in paths],
        )

    @cached_property
    def _touched(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for place, paths in self._ownership.facts.paths.items():
            for path in paths:
                found[path].append(place)
        return found

    @cached_property
    def _speaks_for(self) -> dict[int, list[int]]:
        """The pull requests whose content a commit shows."""
        found: dict[int, list[int]] = defaultdict(list)
        for at in self._all.changes:
            for place in self._shown_by(at):
                found[place].append(at)
        return found

    @cached_property
    def _everybodys(self) -> set[int]:
        """Pull requests of which no commit, or one without known paths, is known."""
        paths = self._ownership.facts.paths
        return {
            at
            for at in self._all.changes
            if not (places := self._shown_by(at)) or any(p not in paths for p in places)
        }

    def _shown_by(self, at: int) -> list[int]:
        """The original commits, or the one it landed as where these do not tell all paths."""
        ownership, beyond = self._ownership, len(self._ownership.graph)
        paths = ownership.facts.paths
        known = [place for place in ownership.places[at] if place < beyond]
        landed = ownership.place(ownership.changes[at].merge_commit)
        if landed == beyond or ownership.graph.is_merge[landed]:
            return known
        tell_all = all(place in paths for place in known)
        return known if known and (tell_all or landed not in paths) else [landed]


def first_shipped(
    ownership: Ownership, reached: Sequence[int], mine: Sequence[int]
) -> dict[int, int]:
    """The positions of the deployments that first shipped pull requests, for those shipped.

    One ships with its merge, squash or last rebased commit, or all its original commits, or a
    cherry-pick of them; merged into another branch, with the pull request that carries it on.
    """
    when = _held_from(ownership, reached)
    landed = _Landed(ownership, when)

    def shipped_at(at: int) -> int:
        if own := ownership.places[at]:
            return min(landed[at], max([when[place] for place in own]))
        return landed[at]

    found = [(at, shipped_at(at)) for at in reversed(mine)]  # carriers come later
    return {at: position for at, position in reversed(found) if position != NEVER}


class _Landed(dict[int, int]):
    """For pull requests the first deployment with the merge of it, or of one that carries it on.

    A function that calls itself would keep the history until Python looks for cycles.
    """

    def __init__(self, ownership: Ownership, when: Sequence[int]) -> None:
        super().__init__()
        self._ownership, self._when = ownership, when

    def __missing__(self, at: int) -> int:
        ownership = self._ownership
        position = self._when[ownership.place(ownership.changes[at].merge_commit)]
        for carrier in reversed(ownership.carriers.get(at, ())):
            position = min(position, self[carrier])
        self[at] = position
        return position


def _held_from(ownership: Ownership, reached: Sequence[int]) -> list[int]:
    """From which deployment on each commit is held, itself or as a cherry-pick of it.

    The last place stands for all commits that were not collected.
    """
    when = [NEVER if position < 0 else position for position in reached]
    index = ownership.graph.index
    held = list(when)
    for root, picks in ownership.picks.items():
        if root in index:
            copies = (when[index[pick]] for pick in picks)
            held[index[root]] = min(when[index[root]], *copies)
    return [*held, NEVER]


def direct_commits(
    ownership: Ownership, reached: Sequence[int], mine: Iterable[int]
) -> dict[int, int]:
    """Commits on the deployed history that are nobody's: id to the first deployment's position.

    A cherry-pick counts as what it was picked from.
    """
    ids, roots = ownership.graph.ids, ownership.pick_roots
    found: dict[int, int] = {}
    for commit in mine:
        if (position := reached[commit]) >= 0:
            sha = int(ids[commit])
            root = roots.get(sha, sha)
            found[root] = min(position, found.get(root, NEVER))
    return found
