"""One service traced: its deployments, what they shipped, and what they broke."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from vpemetrics.lineage.belonging import Belonging, Mine
from vpemetrics.lineage.failures import Finder, Scene, weigh, when_decided
from vpemetrics.lineage.graph import NEVER, Graph, Ints, MainLine, one_by_one
from vpemetrics.lineage.kinds import Ancestry, Group, JudgedPart, group, judge, judge_parts
from vpemetrics.lineage.ownership import AnyChange, Ownership
from vpemetrics.lineage.rows import (
    NONE,
    Deployed,
    DeploymentRow,
    Evidence,
    IncidentRow,
    Kind,
    Revert,
    TriageRow,
)
from vpemetrics.lineage.shipping import (
    Attribution,
    ShippedChanges,
    WaitingChanges,
    attribute,
    shipped_changes,
    waiting_changes,
)
from vpemetrics.records import Status
from vpemetrics.rules import Rules, Service, matches
from vpemetrics.window import MISSING, Micros

LIVE = (Status.SUCCEEDED, Status.ROLLED_BACK)
_JUDGED: Final = Deployed._fields.index("ships")
"""The fields of a deployment before the last two, which are known at last."""


@dataclass(frozen=True, kw_only=True)
class History:
    """The commits and pull requests of the repositories a service is deployed from.

    `line` is its main line, where several services are deployed from it.
    """

    ownership: Ownership
    belonging: Belonging
    line: MainLine | None = None
    _hotfixes: dict[tuple[tuple[str, ...], ...], set[int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def graph(self) -> Graph:
        """The commits' graph; empty where none were collected."""
        return self.ownership.graph

    def first_reached(self, tips: Sequence[int]) -> Ints:
        """For each commit the position of the first tip it is reachable from, or NEVER."""
        return (self.line or self.graph).first_reached(tips)

    def hotfixes(self, rules: Rules) -> set[int]:
        """The positions of pull requests that are a hotfix by label or branch (rule F4)."""
        patterns = rules.hotfix_labels, rules.hotfix_branches
        if patterns not in self._hotfixes:
            self._hotfixes[patterns] = self.ownership.changes.hotfixes(*patterns)
        return self._hotfixes[patterns]


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """The facts about one service: production records, and all that may concern it.

    `incidents` are those that name the service, or none, or a cause themselves; `named` tells
    whether one names this service.
    """

    service: Service
    rows: Sequence[DeploymentRow]
    history: History
    incidents: Sequence[IncidentRow] = ()
    triage: Sequence[TriageRow] = ()
    named: Callable[[IncidentRow], bool] = lambda _incident: True
    belongs: Callable[[str], bool] | None = None


class Lineage(NamedTuple):
    """The outcome of tracing one service; deployments in order, and after them the attempts."""

    deployed: list[Deployed]
    shipped: ShippedChanges
    waiting: WaitingChanges
    evidence: list[Evidence]
    attribution: str
    problems: dict[str, list[str]]


class _ByGraph:
    """Ancestry of deployed commits read off the commit graph."""

    guessed = False

    def __init__(self, graph: Graph, reached: Ints, places: Mapping[int, int]) -> None:
        self._graph, self._places = graph, places
        self._reached = one_by_one(reached)

    def knows(self, commit: int) -> bool:
        return self._places[commit] >= 0

    def contains(self, commit: int, ancestor: int) -> bool:
        place, below = self._places[commit], self._places[ancestor]
        if self._reached[place] < self._reached[below]:  # mostly, and not worth a walk
            return False
        return self._graph.contains(place, below, self._reached)


class _ByOrder:
    """Ancestry guessed from the order in which commits first went live."""

    guessed = True

    def __init__(self, groups: Iterable[Group]) -> None:
        self._position: dict[int, int] = {}
        self._first: dict[int, tuple[Micros, str]] = {}
        for at, one in enumerate(groups):
            commit = one.last.commit
            if one.last.status == Status.ROLLED_BACK or commit == NONE:
                continue
            self._position.setdefault(commit, at)
            first = one.records[0]
            arrived = first.finished_at, first.key
            self._first[commit] = min(arrived, self._first.get(commit, arrived))

    def knows(self, commit: int) -> bool:
        return commit in self._first

    def contains(self, commit: int, ancestor: int) -> bool:
        return self._first[ancestor] <= self._first[commit]

    def position(self, commit: int) -> int:
        return self._position.get(commit, NEVER)


@dataclass(frozen=True, kw_only=True)
class _Traced:
    """The deployments of a service, and which of them (by position) first shipped what."""

    groups: list[Group]
    deployed: Sequence[Deployed]
    ancestry: Ancestry
    mine: Mine
    shipped: Attribution
    commit: Callable[[int], int]
    """The position of the deployment that first brought a commit, by its id."""
    ownership: Ownership
    lacks_history: bool = False
    """True if history is cut where it counts: the first deployment ships no counted changes."""

    @cached_property
    def names_commits(self) -> bool:
        """True if any deployment says which commit it brought."""
        return any(one.commit != NONE for one in self.deployed)

    def shipped_in(self, changes: Iterable[int]) -> Iterable[tuple[int, int]]:
        """Those pull requests that were shipped, each with the deployment; by position."""
        for at in changes:
            position = int(self.shipped.changes[at])
            if position != NEVER:
                yield at, position

    @cached_property
    def _direct(self) -> Mapping[int, int]:
        columns = self.shipped.commits, self.shipped.direct
        return dict(zip(*(column.tolist() for column in columns), strict=True))

    def position(self, change: AnyChange) -> int:
        """The deployment that first shipped a change, or NEVER."""
        if change.position == NONE:
            return self._direct.get(change.commit, NEVER)
        return int(self.shipped.changes[change.position])


def trace(facts: ServiceFacts, rules: Rules) -> Lineage:
    """Trace who shipped and who broke what in one service; deployments are named by position."""
    by = _attribute(facts)
    scene = _scene(facts, by, rules)
    evidence = weigh(scene)
    rework = _rework(by.deployed, scene, evidence)
    deployed = [
        Deployed._make((*one[:_JUDGED], _ships(one, by), why))
        for one, why in zip(by.deployed, rework, strict=True)
    ]
    return Lineage(
        deployed=[*deployed, *_attempts(facts.rows)],
        shipped=shipped_changes(by.ownership, by.shipped, deployed, rules.lead_time_start),
        waiting=waiting_changes(by.ownership, by.shipped, by.mine),
        evidence=evidence,
        attribution=by.shipped.how,
        problems=_problems(facts, by),
    )


def judged(facts: ServiceFacts) -> list[list[JudgedPart]]:
    """The parts of each deployment of a service, and what each was judged against."""
    by = _attribute(facts)
    return judge_parts(by.groups, by.ancestry)


def _attribute(facts: ServiceFacts) -> _Traced:
    live = [row for row in facts.rows if row.status in LIVE]
    groups = group(row for row in live if row.finished_at != MISSING)
    mine = facts.history.belonging.of(facts.belongs)
    commits = {row.commit for row in live}
    if len(facts.history.graph) > 0 and commits - {NONE}:
        return _by_graph(groups, facts, mine, commits)
    return _by_time(groups, facts.history, mine)


def _by_graph(
    groups: list[Group], facts: ServiceFacts, mine: Mine, commits: Iterable[int]
) -> _Traced:
    history = facts.history
    graph, ownership = history.graph, history.ownership
    places = graph.places_of(commits)
    brought = [
        NONE if one.last.status == Status.ROLLED_BACK else places[one.last.commit] for one in groups
    ]
    reached = history.first_reached(brought)
    ancestry = _ByGraph(graph, reached, places)

    def commit(sha: int) -> int:
        at = graph.place(sha)
        return int(reached[at]) if at >= 0 and mine.touching[at] else NEVER

    cut = reached[graph.cut]
    return _Traced(
        groups=groups,
        deployed=judge(groups, ancestry),
        ancestry=ancestry,
        mine=mine,
        shipped=attribute(ownership, reached, mine),
        commit=commit,
        ownership=ownership,
        lacks_history=bool(((cut > 0) & (cut < NEVER)).any()),
    )


def _by_time(groups: list[Group], history: History, mine: Mine) -> _Traced:
    """Each pull request in the first forward deployment that started after its merge (rule C2).

    The first is the one that was there first, which may have started after another.
    """
    ancestry = _ByOrder(groups)
    deployed = judge(groups, ancestry)
    forward = sorted(
        (one.began_at, at)
        for at, one in enumerate(deployed)
        if one.kind == Kind.FORWARD and not one.rolled_back
    )
    begins = np.array([began for began, _ in forward], dtype=np.int64)
    positions = np.array([*(at for _, at in forward), NEVER], dtype=np.int64)
    first = np.minimum.accumulate(positions[::-1])[::-1]
    changes = history.ownership.changes
    shipped = first[np.searchsorted(begins, changes.merged_at, side="right")]
    nothing = np.empty(0, dtype=np.int64)
    return _Traced(
        groups=groups,
        deployed=deployed,
        ancestry=ancestry,
        mine=mine,
        shipped=Attribution(
            how="time",
            changes=np.where(mine.changes & ~changes.on_other_branch, shipped, NEVER),
            commits=nothing,
            direct=nothing,
        ),
        commit=ancestry.position,
        ownership=history.ownership,
    )


def _attempts(rows: Iterable[DeploymentRow]) -> Iterable[Deployed]:
    """Runs that ended before production (rule D1): counted and shown, outside all five metrics."""
    ended = (Status.FAILED, Status.CANCELLED, Status.SKIPPED, Status.SUPERSEDED)
    found = ((_ended_at(row), row) for row in rows if row.status in ended)
    for when, row in sorted(found, key=lambda pair: (pair[0], pair[1].key, pair[1].id)):
        if when != MISSING:
            yield Deployed(
                id=row.id,
                parts=(row.id,),
                keys=(row.key,),
                kind=Kind.ATTEMPT,
                started_at=row.started_at,
                finished_at=when,
                commit=row.commit,
                environments=frozenset((row.environment,)),
                rolled_back=False,
                first=False,
                removed=NONE,
                planned=row.planned,
                hotfix=False,
            )


def _ended_at(row: DeploymentRow) -> Micros:
    return row.started_at if row.finished_at == MISSING else row.finished_at


def _scene(facts: ServiceFacts, by: _Traced, rules: Rules) -> Scene:
    find, closers = _finder(facts, by), _closers(by)
    of_commit: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(by.deployed):
        if one.commit != NONE:
            of_commit[one.commit].append(at)
    return Scene(
        deployed=by.deployed,
        of_commit=of_commit,
        ancestry=by.ancestry,
        incidents=list(_concerning(facts, find, closers)),
        triage=facts.triage,
        reverts=sorted(_reverts(by, rules)),
        closers=closers,
        hotfixes=_hotfixes(facts.history, by, rules),
        find=find,
        suspect_within=rules.incident_window // timedelta(microseconds=1),
    )


def _finder(facts: ServiceFacts, by: _Traced) -> Finder:
    """Look up deployments; what the first one shipped was shipped before the known history."""
    ownership, deployed = by.ownership, by.deployed
    counted = [NONE if one.first else at for at, one in enumerate(deployed)]
    named = {one.cause_change for one in facts.incidents} | {row.cause for row in facts.triage}
    by_key = ownership.changes.by_key if named - {None} else {}
    by_change = {
        key: counted[position]
        for key in named
        if key is not None
        for _, position in by.shipped_in(by_key.get(key, ()))
    }

    def by_commit(sha: int) -> int:
        position = min(by.commit(sha), by.position(ownership.change_of(sha)))
        return NONE if position == NEVER else counted[position]

    by_record = {key: at for at, one in enumerate(deployed) for key in one.keys}
    return Finder(by_record=by_record, by_commit=by_commit, by_change=by_change)


def _closers(by: _Traced) -> dict[str, list[int]]:
    """Incidents with the deployments, in order, that shipped a change naming them."""
    closers: dict[str, set[int]] = defaultdict(set)
    closes = by.ownership.changes.closes
    for at, position in by.shipped_in(closes):
        if not by.deployed[position].first:
            for incident in closes[at]:
                closers[incident].add(position)
    return {incident: sorted(positions) for incident, positions in sorted(closers.items())}


def _hotfixes(history: History, by: _Traced, rules: Rules) -> frozenset[int]:
    """Deployments that are a hotfix by their own word, or ship one by label or branch (rule F4)."""
    own = {at for at, d in enumerate(by.deployed) if d.hotfix or d.planned is False}
    shipped = {
        position
        for _, position in by.shipped_in(history.hotfixes(rules))
        if not by.deployed[position].first
    }
    return frozenset(own | shipped)


def _concerning(
    facts: ServiceFacts, find: Finder, closers: Mapping[str, Sequence[int]]
) -> Iterable[IncidentRow]:
    """The incidents that name this service, or what this service shipped."""
    decisions = {row.record: row for row in sorted(facts.triage, key=when_decided)}
    linked = {record for record, row in decisions.items() if find.cause(row) is not None}
    for incident in facts.incidents:
        if (
            facts.named(incident)
            or incident.cause_deployment in find.by_record
            or (
                incident.key in linked
                or (
                    not incident.services
                    and (
                        incident.key in closers
                        or any(at is not None for at, _ in find.named_by(incident))
                    )
                )
            )
        ):
            yield incident


def _reverts(by: _Traced, rules: Rules) -> Iterable[Revert]:
    """Shipped reverts of what an earlier deployment shipped; a revert of a revert is none."""
    ownership, labels = by.ownership, by.ownership.changes.labels
    patterns = (*rules.hotfix_labels, *rules.incident_labels)
    for reverting, target in ownership.reverts:
        by_position, at_position = by.position(reverting), by.position(target)
        if NEVER in (by_position, at_position) or by_position <= at_position:
            continue
        first = by.deployed[at_position].first or by.deployed[by_position].first
        if first or ownership.is_revert(target):
            continue
        told = (label for one in (reverting, target) for label in labels.get(one.position, ()))
        yield Revert(
            target=at_position,
            by=by_position,
            labelled=any(matches(label, patterns) for label in told),
            change=_name(target, ownership),
        )


def _name(change: AnyChange, ownership: Ownership) -> str:
    if change.position == NONE:
        return "a direct commit"
    return ownership.changes.keys[change.position]


def _ships(one: Deployed, by: _Traced) -> bool:
    """Tell whether what a deployment shipped is known and counts."""
    if one.kind != Kind.FORWARD or one.first or one.rolled_back:
        return False
    return by.ancestry.knows(one.commit) or not by.names_commits


def _rework(
    deployed: Sequence[Deployed], scene: Scene, evidence: Iterable[Evidence]
) -> Iterable[str | None]:
    """For each deployment why it was unplanned, or None (rule F4)."""
    known = {incident.key for incident in scene.incidents}
    fixes = {at for key, found in scene.closers.items() if key in known for at in found}
    reverts = {e.restored_by for e in evidence if e.grade == "B" and e.what == "revert"}
    for at, one in enumerate(deployed):
        if one.kind == Kind.ROLLBACK:
            yield "rollback"
        elif one.kind != Kind.FORWARD:
            yield None
        elif at in fixes:
            yield "fix"
        elif at in reverts:
            yield "revert"
        else:
            yield "hotfix" if at in scene.hotfixes else None


def _problems(facts: ServiceFacts, by: _Traced) -> dict[str, list[str]]:
    """Faults of the data, by reason: examples named by the source's ids."""
    problems: dict[str, list[str]] = defaultdict(list)
    for one in by.deployed:
        if one.kind == Kind.STALE:
            problems["stale"].append(one.key)
        if one.commit == NONE:
            problems["unknown_commit"].append(one.key)
        elif not by.ancestry.knows(one.commit) and not one.rolled_back:
            problems["commit_not_collected"].append(one.key)
    if by.lacks_history:
        problems["parents_not_collected"].append(facts.service.name)
    return dict(problems)
