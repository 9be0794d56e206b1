"""The first deployments of changes, and the moments lead time runs from (rules C1 to C3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from vpemetrics.lineage.belonging import Mine
from vpemetrics.lineage.changes import Changes
from vpemetrics.lineage.deployments import DeploymentColumns
from vpemetrics.lineage.graph import NEVER, Flags, Ints
from vpemetrics.lineage.ownership import Ownership
from vpemetrics.lineage.releases import Releases
from vpemetrics.lineage.rows import AUTOMATION, NONE, Reason
from vpemetrics.rules import LeadTimeStart
from vpemetrics.window import DAY, MINUTE, MISSING, Micros

SKEW: Final = 5 * MINUTE
QUIET: Final = 52 * 7 * DAY


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """The deployments, by position, in which a service first shipped its changes.

    `changes` has one for each pull request of the history, NEVER for others than the service's
    and what waits; `direct` one for each of its direct commits, whose places are `commits`.
    """

    how: str
    changes: Ints
    commits: Ints
    direct: Ints


@dataclass(frozen=True, kw_only=True)
class ShippedChanges:
    """Changes at their first production deployment in a service, as columns.

    An item is a pull request's id, or minus a direct commit's. `start_at` is the moment lead time
    is counted from; `more_starts` has further ones by row, where every commit is a sample of its
    own. `first_at` is its first commit's, `author_kinds` are places in AUTHOR_KINDS. `beside` is
    what pull requests have beside, of a direct commit MISSING.
    """

    items: Ints
    deployments: Ints
    start_at: Ints
    merged_at: Ints
    first_at: Ints
    at_merge: Flags
    reasons: Ints
    authors: Ints
    author_kinds: Ints
    marked: Flags
    more_starts: Mapping[int, tuple[Micros, ...]] = field(default_factory=dict)
    beside: Mapping[str, Ints] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WaitingChanges:
    """Merged pull requests, by id, that no deployment has shipped; COUNTED where they just wait."""

    ids: Ints
    merged_at: Ints
    reasons: Ints


def attribute(ownership: Ownership, reached: Ints, mine: Mine) -> Attribution:
    """Attribute a service's changes to what first reached them, by place of commit.

    A pull request ships with its merge, squash or last rebased commit, or all its original
    commits, or a cherry-pick of them; merged into another branch, with the one that carries it on.
    What has a back-port ships with whichever comes first.
    """
    when = _held_from(ownership, reached)
    landed = when[ownership.merges]
    for carried, carrier in reversed(ownership.carriers):  # carriers come later
        landed[carried] = min(landed[carried], landed[carrier])
    shipped = np.minimum(landed, ownership.most_of_own(when, NEVER))
    for backport, originals in ownership.changes.originals.items():
        shipped[originals] = np.minimum(shipped[originals], shipped[backport])
    commits, direct = _direct_commits(ownership, reached, mine.commits)
    return Attribution(
        how="graph",
        changes=np.where(mine.changes, shipped, NEVER),
        commits=commits,
        direct=direct,
    )


def _held_from(ownership: Ownership, reached: Ints) -> Ints:
    """From which deployment on each commit is held, itself or as a cherry-pick of it.

    Commits that were not collected are never known to be.
    """
    rest = np.full(len(ownership.places) + 1 - len(reached), NEVER, dtype=np.int64)
    held = np.concatenate([reached, rest])
    copies = {
        root: min(reached[pick] for pick in picks)
        for root, picks in ownership.picks.items()
        if root < len(reached)
    }
    for root, earliest in copies.items():
        held[root] = min(reached[root], earliest)
    return held


def _direct_commits(ownership: Ownership, reached: Ints, mine: Ints) -> tuple[Ints, Ints]:
    """Direct commits on the deployed history, by place, and the deployments of them.

    A cherry-pick counts as what it was picked from.
    """
    positions = reached[mine]
    mine, positions = mine[positions < NEVER], positions[positions < NEVER]
    roots = ownership.roots[mine]
    if np.array_equal(roots, mine):
        return mine, positions
    order = np.lexsort((positions, roots))
    commits, first = np.unique(roots[order], return_index=True)
    return commits, positions[order][first]


def shipped_changes(
    ownership: Ownership,
    by: Attribution,
    deployed: DeploymentColumns,
    releases: Releases,
    start: LeadTimeStart,
) -> ShippedChanges:
    """The changes that were shipped, with the starts of their lead times."""
    facts = _Deployments(deployed)
    changes = _shipped_pulls(ownership, by, facts, releases, start)
    commits = _shipped_commits(ownership, by, facts, releases, start)
    return ShippedChanges(
        items=np.concatenate([changes.items, commits.items]),
        deployments=np.concatenate([changes.deployments, commits.deployments]),
        start_at=np.concatenate([changes.start_at, commits.start_at]),
        merged_at=np.concatenate([changes.merged_at, commits.merged_at]),
        first_at=np.concatenate([changes.first_at, commits.first_at]),
        at_merge=np.concatenate([changes.at_merge, commits.at_merge]),
        reasons=np.concatenate([changes.reasons, commits.reasons]),
        authors=np.concatenate([changes.authors, commits.authors]),
        author_kinds=np.concatenate([changes.author_kinds, commits.author_kinds]),
        marked=np.concatenate([changes.marked, commits.marked]),
        more_starts=changes.more_starts,
        beside={
            name: np.concatenate([told, np.full(len(commits.items), MISSING)])
            for name, told in changes.beside.items()
        },
    )


class _Deployments:
    """The part of deployments that decides if their changes are in lead time, as columns."""

    def __init__(self, deployed: DeploymentColumns) -> None:
        self.first, self.finished_at = deployed.first, deployed.finished_at
        self.commits = deployed.commits
        nameless = deployed.commits == NONE
        self.unknown = nameless & ~nameless.all()
        """Those of unknown commit, where any says which commit it brought."""

    def reasons(
        self,
        positions: Ints,
        starts: Ints,
        start: LeadTimeStart,
        *,
        kinds: Ints,
        is_release: Flags,
        is_imported: Flags | bool = False,
        is_light: Flags | bool = False,
    ) -> Ints:
        """The weightiest reason why each of some changes is left out of lead time."""
        # A start that is missing is long ago, so that nothing is deployed before it.
        early = self.finished_at[positions] - np.maximum(starts, 0 - NEVER) < -SKEW
        before = Reason.DEPLOYED_BEFORE_MERGE if start == LeadTimeStart.MERGE else Reason.NEGATIVE
        return np.select(
            [
                self.first[positions],
                np.broadcast_to(is_imported, len(positions)),
                is_release,
                self.unknown[positions],
                kinds == AUTOMATION,
                np.broadcast_to(is_light, len(positions)),
                starts == MISSING,
                early,
            ],
            [
                Reason.FIRST_DEPLOYMENT,
                Reason.IMPORTED_HISTORY,
                Reason.RELEASE_COMMIT,
                Reason.UNKNOWN_COMMIT,
                Reason.AUTOMATION,
                Reason.LIGHT_TAG,
                Reason.NO_AUTHOR_DATE,
                before,
            ],
            Reason.COUNTED,
        )


def _shipped_pulls(
    ownership: Ownership,
    by: Attribution,
    facts: _Deployments,
    releases: Releases,
    start: LeadTimeStart,
) -> ShippedChanges:
    changes = ownership.changes
    at = np.flatnonzero((by.changes < NEVER) & ~ownership.empty)
    first_at, earliest = _first_commits(ownership)
    first_at, merged_at = first_at[at], changes.merged_at[at]
    at_merge = first_at == MISSING
    starts = np.where(at_merge, merged_at, first_at)
    more: Mapping[int, tuple[Micros, ...]] = {}
    if start == LeadTimeStart.MERGE:
        starts, at_merge = merged_at, np.zeros(len(at), dtype=bool)
    elif start == LeadTimeStart.EACH_COMMIT:
        starts = np.where(at_merge | (earliest[at] == NEVER), starts, earliest[at])
        more = _further_starts(ownership, at[~at_merge], np.flatnonzero(~at_merge))
    positions, kinds = by.changes[at], ownership.author_kinds[at]
    return ShippedChanges(
        items=changes.ids[at],
        deployments=positions,
        start_at=starts,
        merged_at=merged_at,
        first_at=first_at,
        at_merge=at_merge,
        reasons=facts.reasons(
            positions,
            starts,
            start,
            kinds=kinds,
            is_release=releases.changes[at],
        ),
        authors=ownership.authors[at],
        author_kinds=kinds,
        marked=ownership.marked[at],
        more_starts=more,
        beside={name: told[at] for name, told in changes.beside.items()},
    )


def _first_commits(ownership: Ownership) -> tuple[Ints, Ints]:
    """Of each pull request the author date of its first commit, and the earliest date we know.

    The first is what the source says if we miss some, MISSING if nobody knows; the second is
    NEVER then.
    """
    authored_at = ownership.authored_at
    known = authored_at[ownership.own.commits] != MISSING
    dates = np.where(authored_at == MISSING, NEVER, authored_at)
    earliest = ownership.least_of_own(dates, NEVER)
    dated = np.bincount(ownership.own.changes[known], minlength=len(ownership.changes))
    # A source counts what a pull request brought in from elsewhere among its commits.
    said = np.where(ownership.importing, MISSING, ownership.changes.first_commit_at)
    of_known = (dated > 0) & ((said == MISSING) | (dated == ownership.own_counts))
    of_both = np.where(dated == 0, said, np.minimum(said, earliest))
    return np.where(of_known, earliest, of_both), earliest


def _further_starts(ownership: Ownership, at: Ints, rows: Ints) -> dict[int, tuple[Micros, ...]]:
    """The author dates of pull requests' commits after their first, by row."""
    row_of = np.full(len(ownership.changes), NONE, dtype=np.int64)
    row_of[at] = rows
    dates = ownership.authored_at[ownership.own.commits]
    rows = row_of[ownership.own.changes]
    wanted = (rows >= 0) & (dates != MISSING)
    rows, dates = rows[wanted], dates[wanted]
    order = np.lexsort((dates, rows))
    found: dict[int, tuple[Micros, ...]] = {}
    each, begins = np.unique(rows[order], return_index=True)
    groups = np.split(dates[order], begins[1:]) if len(each) else []
    for row, group in zip(each.tolist(), groups, strict=True):
        if len(group) > 1:
            found[row] = tuple(group[1:].tolist())
    return found


def _are_imported(ownership: Ownership, commits: Ints, deployed: Ints) -> Flags:
    """Tell of commits by place if a merge brought them in, before what was deployed, by id.

    What was deployed where it came from did not come by a merge.
    """
    history = ownership.imports.history
    if not len(ownership.imports.merges):
        return np.zeros(len(commits), dtype=bool)
    places = ownership.graph.find(deployed)
    from_there: Flags = (places >= 0) & history[places]
    return history[commits] & ~from_there


def _shipped_commits(
    ownership: Ownership,
    by: Attribution,
    facts: _Deployments,
    releases: Releases,
    start: LeadTimeStart,
) -> ShippedChanges:
    commits, at = ownership.commits, by.commits
    is_tagged = facts.commits[by.direct] == ownership.places.ids[at]
    authored_at = commits.authored_at[at]
    kinds = commits.author_kinds[at]
    starts = commits.committed_at[at] if start == LeadTimeStart.MERGE else authored_at
    return ShippedChanges(
        items=-ownership.places.ids[at],
        deployments=by.direct,
        start_at=starts,
        merged_at=np.full(len(at), MISSING, dtype=np.int64),
        first_at=authored_at,
        at_merge=np.zeros(len(at), dtype=bool),
        reasons=facts.reasons(
            by.direct,
            starts,
            start,
            kinds=kinds,
            is_release=releases.commits[at],
            is_imported=_are_imported(ownership, at, facts.commits[by.direct]),
            is_light=releases.light[at] & is_tagged,
        ),
        authors=commits.authors[at],
        author_kinds=kinds,
        marked=commits.marked[at],
    )


def waiting_changes(
    ownership: Ownership, by: Attribution, mine: Mine, deployed: DeploymentColumns
) -> WaitingChanges:
    """The pull requests of a service that no deployment has shipped, or that are no change."""
    at = np.flatnonzero(mine.changes & ((by.changes == NEVER) | ownership.empty))
    reasons = np.select(
        [
            ownership.is_backport[at],
            ownership.empty[at],
            _on_quiet_branch(ownership.changes, by, deployed)[at],
            ownership.author_kinds[at] == AUTOMATION,
        ],
        [Reason.BACKPORT, Reason.NO_COMMIT_LEFT, Reason.OTHER_BRANCH, Reason.AUTOMATION],
        Reason.COUNTED,
    )
    changes = ownership.changes
    return WaitingChanges(ids=changes.ids[at], merged_at=changes.merged_at[at], reasons=reasons)


def _on_quiet_branch(changes: Changes, by: Attribution, deployed: DeploymentColumns) -> Flags:
    """Mark the pull requests for a branch that ships nothing to production, or no longer does.

    Any but the default one of which nothing shipped in the 52 weeks before the last deployment.
    """
    other = changes.on_other_branch
    if not other.any():
        return other
    shipped = np.flatnonzero(other & (by.changes < NEVER))
    latest = np.full(int(changes.other_branches.max()) + 1, MISSING, dtype=np.int64)
    shipped_at = deployed.finished_at[by.changes[shipped]]
    np.maximum.at(latest, changes.other_branches[shipped], shipped_at)
    since = max(deployed.finished_at.max(initial=MISSING), MISSING + QUIET) - QUIET
    quiet: Flags = other & ((latest < since) | (latest == MISSING))[changes.other_branches]
    return quiet
