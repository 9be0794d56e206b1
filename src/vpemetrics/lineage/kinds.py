"""The kinds of deployments (rules D1 to D5).

Nearly all bring a commit that never was live there. These are told all at once; only where
something is deployed again, or perhaps an older thing, each is looked at.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from vpemetrics.lineage.deployments import DeploymentColumns, DeploymentRecords, kind_code
from vpemetrics.lineage.graph import Flags, Ints
from vpemetrics.lineage.grouping import Grouping
from vpemetrics.lineage.order import before_each, several
from vpemetrics.lineage.rows import KINDS, NONE, DeploymentRow, Kind
from vpemetrics.lineage.version_order import compare_versions
from vpemetrics.records import Status
from vpemetrics.window import MISSING

# The kind of a deployment in several environments is the weightiest of its parts' kinds.
_WEIGHT: Final = (Kind.ROLLBACK, Kind.FORWARD, Kind.REDEPLOY, Kind.STALE, Kind.ROLLOUT)
_WEIGHTS: Final = np.array([_WEIGHT.index(kind) if kind in _WEIGHT else NONE for kind in KINDS])
_OF_WEIGHT: Final = np.array([kind_code(kind) for kind in _WEIGHT])


class Ancestry(Protocol):
    """The ancestry of deployed commits: which contains which, as far as the history is known.

    `guessed`: the answers come from the order of deployments, for want of a graph.
    """

    guessed: bool

    def known(self, commits: Ints) -> Flags:
        """Tell of each commit whether its place in the history is known."""
        ...

    def contains(self, commit: int, ancestor: int) -> bool:
        """Tell whether `ancestor` is in the history of `commit`, both known."""
        ...

    def later(self, commits: Ints, others: Ints) -> Flags:
        """Mark the commits of which it is plain that they are in no history of another, by pairs.

        All are known.
        """
        ...


class JudgedPart(NamedTuple):
    """The kind of one part of a deployment, against the part `before` that was live there.

    `first`: it has no predecessor there, which is a commit that lived; for a part whose own
    commit is unknown or did not live, any arrival before it.
    `by_version`: judged by its version, as one of the two commits is unknown.
    """

    part: DeploymentRow
    before: DeploymentRow | None
    kind: Kind
    first: bool
    by_version: bool


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The parts of deployments, by record, each judged as `JudgedPart` says.

    `before` is NONE where nothing was live.
    """

    parts: Ints
    before: Ints
    kinds: Ints
    first: Flags
    by_version: Flags

    def rows(self, records: DeploymentRecords) -> Iterator[JudgedPart]:
        """The parts, each by itself."""
        columns = (self.parts, self.before, self.kinds, self.first, self.by_version)
        for part, before, kind, *flags in zip(*(of.tolist() for of in columns), strict=True):
            live = None if before == NONE else records.row(before)
            yield JudgedPart(records.row(part), live, KINDS[kind], *flags)


def judge(groups: Grouping, ancestry: Ancestry) -> DeploymentColumns:
    """The deployments with their kinds, each the weightiest of its parts'."""
    judged, records, last = judge_parts(groups, ancestry), groups.records, groups.last
    whose = groups.of[judged.parts]
    weights = np.full(len(groups), len(_WEIGHT), dtype=np.int64)
    np.minimum.at(weights, whose, _WEIGHTS[judged.kinds])
    first = np.ones(len(groups), dtype=bool)
    first[whose[~judged.first]] = False
    by_deployment = np.argsort(groups.of, kind="stable")
    return DeploymentColumns(
        ids=records.ids[last],
        keys=records.keys[last],
        kinds=_OF_WEIGHT[weights],
        started_at=_started_at(groups),
        finished_at=records.finished_at[last],
        commits=records.commits[last],
        identities=groups.identities[last],
        rolled_back=records.are(Status.ROLLED_BACK)[last],
        first=first,
        removed=_removed(groups, judged),
        planned=_planned(groups),
        hotfix=np.bincount(groups.of, weights=records.hotfix == 1, minlength=len(groups)) > 0,
        ships=np.zeros(len(groups), dtype=bool),
        unplanned=np.zeros(len(groups), dtype=np.int64),
        record_of=groups.of[by_deployment],
        record_ids=records.ids[by_deployment],
        record_keys=records.keys[by_deployment],
        record_environments=records.environments[by_deployment],
    )


def _removed(groups: Grouping, judged: Judgement) -> Ints:
    """The identity of what each rollback took away, in its first part that is one."""
    removed = np.full(len(groups), NONE, dtype=np.int64)
    at = np.flatnonzero(judged.kinds == kind_code(Kind.ROLLBACK))[::-1]
    removed[groups.of[judged.parts[at]]] = groups.identities[judged.before[at]]
    return removed


def _started_at(groups: Grouping) -> Ints:
    """The start of the first part; one of several that has none counts from its finish."""
    parts, records = np.flatnonzero(groups.is_part), groups.records
    started_at, whose = records.started_at[parts], groups.of[parts]
    several = np.bincount(whose, minlength=len(groups)) > 1
    instead = (started_at == MISSING) & several[whose]
    earliest = np.full(len(groups), np.iinfo(np.int64).max)
    np.minimum.at(earliest, whose, np.where(instead, records.finished_at[parts], started_at))
    return earliest


def _planned(groups: Grouping) -> Ints:
    """1 where all records that say so are planned, 0 where one is not, NONE where none says so."""
    told = np.flatnonzero(groups.records.planned != NONE)
    planned = np.full(len(groups), 2, dtype=np.int64)
    np.minimum.at(planned, groups.of[told], groups.records.planned[told])
    planned[planned == 2] = NONE
    return planned


def judge_parts(groups: Grouping, ancestry: Ancestry) -> Judgement:
    """The parts of each deployment, each judged against what was live in its environment."""
    parts = np.flatnonzero(groups.is_part)
    records = groups.records.take(parts)
    lives = ancestry.known(records.commits) & ~records.are(Status.ROLLED_BACK)
    arrived_before = before_each(records.environments) != NONE
    before = _live_before(records.environments, lives)
    kinds = np.full(len(parts), kind_code(Kind.FORWARD), dtype=np.int64)
    judged = np.flatnonzero(lives & (before != NONE))
    kinds[judged] = _kinds(records, groups.of[parts], lives, judged, before[judged], ancestry)
    first = (before == NONE) & (lives | ~arrived_before)
    by_version = np.zeros(len(parts), dtype=bool)
    for at, previous, kind in _kinds_by_version(records, groups.of[parts], lives):
        kinds[at], before[at], by_version[at] = kind_code(kind), previous, True
    return Judgement(
        parts=parts,
        before=np.where(before == NONE, NONE, parts[before]),
        kinds=kinds,
        first=first,
        by_version=by_version,
    )


def _live_before(environments: Ints, lives: Flags) -> Ints:
    """For each part the last one before it in its environment that lived, or NONE."""
    order = np.argsort(environments, kind="stable")
    places = np.arange(len(order))
    newest = np.maximum.accumulate(np.where(lives[order], places, NONE))
    newest = np.r_[np.full(min(len(order), 1), NONE), newest[:-1]]
    starts = np.searchsorted(environments[order], environments[order])
    before = np.full(len(order), NONE, dtype=np.int64)
    has_any = newest >= starts
    before[order[has_any]] = order[newest[has_any]]
    return before


def _kinds(
    records: DeploymentRecords,
    deployments: Ints,
    lives: Flags,
    judged: Ints,
    before: Ints,
    ancestry: Ancestry,
) -> Ints:
    """The kinds of parts that live, of those that have one that is live before them."""
    commits, live = records.commits[judged], records.commits[before]
    kinds = np.full(len(records), kind_code(Kind.FORWARD), dtype=np.int64)
    lived = np.flatnonzero(lives)
    again = np.zeros(len(records), dtype=bool)
    again[lived[several(records.commits[lived])]] = True
    is_plain = ~again[judged] & ancestry.later(commits, live)
    if ancestry.guessed:
        is_plain &= records.rollback[judged] != 1
    live_before = dict(zip(judged[~is_plain].tolist(), live[~is_plain].tolist(), strict=True))
    lived_in: set[tuple[int, int]] = set()
    arrived: dict[int, set[int]] = defaultdict(set)
    """The deployments of each commit that lived."""
    for part in np.union1d(np.flatnonzero(again), judged[~is_plain]).tolist():
        commit, environment = int(records.commits[part]), int(records.environments[part])
        deployment = int(deployments[part])
        here = arrived[commit]
        if part in live_before:
            kind = _kind_of_part(
                commit,
                live_before[part],
                lived=(commit, environment) in lived_in,
                elsewhere=bool(here) and here != {deployment},
                is_rollback=bool(records.rollback[part] == 1),
                ancestry=ancestry,
            )
            kinds[part] = kind_code(kind)
        lived_in.add((commit, environment))
        here.add(deployment)
    return kinds[judged]


def _kinds_by_version(
    records: DeploymentRecords, deployments: Ints, lives: Flags
) -> Iterator[tuple[int, int, Kind]]:
    """The parts whose commit, or that of the part before, is unknown: that part, and their kind.

    Only those of which both versions are numbered alike.
    """
    stayed = ~records.are(Status.ROLLED_BACK)
    previous = _live_before(records.environments, stayed)
    unsure = stayed & (previous != NONE) & ~(lives & lives[previous])
    if not unsure.any():
        return
    began_at, versions = records.began_at.tolist(), records.versions.tolist()
    lived_in: set[tuple[str, int]] = set()
    arrived: dict[str, set[int]] = defaultdict(set)
    for part in np.flatnonzero(stayed).tolist():
        version, before = versions[part], int(previous[part])
        environment, deployment = int(records.environments[part]), int(deployments[part])
        order = compare_versions(version, versions[before]) if unsure[part] else None
        if order is not None:
            kind = _kind_by_version(
                order,
                lived=(version, environment) in lived_in,
                elsewhere=bool(arrived[version] - {deployment}),
                is_rollback=bool(records.rollback[part] == 1),
                began_before=began_at[part] < began_at[before],
            )
            yield part, before, kind
        if version is not None:
            lived_in.add((version, environment))
            arrived[version].add(deployment)


def _kind_by_version(
    order: int, *, lived: bool, elsewhere: bool, is_rollback: bool, began_before: bool
) -> Kind:
    """The kind of a part whose version is higher (1), the same (0) or lower (-1) than before."""
    if order == 0:
        return Kind.REDEPLOY
    if lived:
        return Kind.REDEPLOY if order > 0 else Kind.ROLLBACK
    if is_rollback and order < 0:
        return Kind.ROLLBACK
    if elsewhere:
        return Kind.ROLLOUT
    return Kind.STALE if order < 0 and began_before else Kind.FORWARD


def _kind_of_part(
    commit: int, before: int, *, lived: bool, elsewhere: bool, is_rollback: bool, ancestry: Ancestry
) -> Kind:
    """The kind of a part of a known commit, against the one that was live in its environment.

    It `lived` there before, or was deployed elsewhere by another deployment.
    """
    if commit == before:
        return Kind.REDEPLOY
    if lived:
        return Kind.REDEPLOY if ancestry.contains(commit, before) else Kind.ROLLBACK
    older = ancestry.contains(before, commit)
    if is_rollback and (older or ancestry.guessed):
        return Kind.ROLLBACK
    if elsewhere:
        return Kind.ROLLOUT
    return Kind.STALE if older else Kind.FORWARD
