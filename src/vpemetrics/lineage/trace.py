"""One service traced: its deployments, what they shipped, and what they broke."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vpemetrics.lineage.belonging import Belonging, Mine
from vpemetrics.lineage.deployments import DeploymentColumns, DeploymentRecords, kind_code
from vpemetrics.lineage.failures import Finder, Scene, weigh, when_decided
from vpemetrics.lineage.graph import NEVER, Flags, Graph, Ints, MainLine, find, one_by_one
from vpemetrics.lineage.grouping import Grouping, group
from vpemetrics.lineage.incidents import IncidentIndex
from vpemetrics.lineage.kinds import Ancestry, JudgedPart, judge, judge_parts
from vpemetrics.lineage.order import time_order
from vpemetrics.lineage.ownership import AnyChange, Ownership
from vpemetrics.lineage.releases import Releases
from vpemetrics.lineage.rows import NONE, UNPLANNED, Evidence, IncidentRow, Kind, Revert, TriageRow
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


@dataclass(frozen=True, kw_only=True)
class History:
    """The commits and pull requests of the repositories a service is deployed from.

    `line` is its main line, where several services are deployed from it.
    """

    ownership: Ownership
    belonging: Belonging
    releases: Releases
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
    """The facts about one service: production records, and all that may concern it."""

    service: Service
    records: DeploymentRecords
    history: History
    incidents: IncidentIndex = field(default_factory=IncidentIndex)
    triage: Sequence[TriageRow] = ()
    belongs: Callable[[str], bool] | None = None


class Lineage(NamedTuple):
    """The outcome of tracing one service; deployments in order, and after them the attempts."""

    deployed: DeploymentColumns
    shipped: ShippedChanges
    waiting: WaitingChanges
    evidence: list[Evidence]
    attribution: str
    problems: dict[str, list[str]]


class _ByGraph:
    """Ancestry of deployed commits read off the commit graph."""

    guessed = False

    def __init__(self, graph: Graph, reached: Ints) -> None:
        self._graph, self._reached = graph, reached

    def known(self, commits: Ints) -> Flags:
        return self._graph.find(commits) >= 0

    def contains(self, commit: int, ancestor: int) -> bool:
        place, below = self._graph.place(commit), self._graph.place(ancestor)
        if self._reached[place] < self._reached[below]:
            return False
        return self._graph.contains(place, below, one_by_one(self._reached))

    def later(self, commits: Ints, others: Ints) -> Flags:
        find, reached = self._graph.find, self._reached
        later: Flags = reached[find(others)] < reached[find(commits)]  # mostly, and needs no walk
        return later


class _ByOrder:
    """Ancestry guessed from the order in which commits first went live."""

    guessed = True

    def __init__(self, groups: Grouping) -> None:
        records = groups.records
        brought = ~records.are(Status.ROLLED_BACK)[groups.last]
        at = np.flatnonzero(brought & (records.commits[groups.last] != NONE))
        commits, firsts = records.commits[groups.last][at], groups.firsts[at]
        self._commits, earliest = np.unique(commits, return_index=True)
        self._positions = at[earliest]
        order = np.lexsort((firsts, commits))
        first = firsts[order][np.unique(commits[order], return_index=True)[1]]
        self._finished_at, self._keys = records.finished_at[first], records.keys[first]

    def known(self, commits: Ints) -> Flags:
        return find(self._commits, commits) >= 0

    def contains(self, commit: int, ancestor: int) -> bool:
        return self._arrival(ancestor) <= self._arrival(commit)

    def later(self, commits: Ints, others: Ints) -> Flags:
        arrived = (self._finished_at[find(self._commits, of)] for of in (commits, others))
        later: Flags = np.greater(*arrived)
        return later

    def position(self, commit: int) -> int:
        """The deployment that first brought a commit, or NEVER."""
        at = self._place(commit)
        return NEVER if at == NONE else int(self._positions[at])

    def _arrival(self, commit: int) -> tuple[Micros, str]:
        at = self._place(commit)
        return int(self._finished_at[at]), self._keys[at]

    def _place(self, commit: int) -> int:
        return int(find(self._commits, np.array([commit]))[0])


@dataclass(frozen=True, kw_only=True)
class _Traced:
    """The deployments of a service, and which of them (by position) first shipped what."""

    groups: Grouping
    deployed: DeploymentColumns
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
        return bool((self.deployed.commits != NONE).any())

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
    deployed = replace(
        by.deployed, ships=_ships(by), unplanned=_rework(by.deployed, scene, evidence)
    )
    return Lineage(
        deployed=deployed.then(_attempts(facts.records)),
        shipped=_with_undone(
            by,
            scene.incidents,
            shipped_changes(
                by.ownership, by.shipped, deployed, facts.history.releases, rules.lead_time_start
            ),
        ),
        waiting=waiting_changes(by.ownership, by.shipped, by.mine, deployed),
        evidence=evidence,
        attribution=by.shipped.how,
        problems=_problems(facts, by),
    )


def _with_undone(
    by: _Traced, incidents: Iterable[IncidentRow], shipped: ShippedChanges
) -> ShippedChanges:
    """Shipped changes with `undone_at` beside them, the moment each was taken back or blamed."""
    found = _undone(by, incidents)
    items = np.array([*found, NEVER], dtype=np.int64)
    order = np.argsort(items)
    places = order[np.searchsorted(items[order], shipped.items)]
    moments = np.array([*found.values(), MISSING], dtype=np.int64)
    undone_at = np.where(items[places] == shipped.items, moments[places], MISSING)
    return replace(shipped, beside={**shipped.beside, "undone_at": undone_at})


def _undone(by: _Traced, incidents: Iterable[IncidentRow]) -> dict[int, Micros]:
    """The moment a change was first reverted in production, or an incident names it, by item."""
    ownership, found = by.ownership, dict[int, Micros]()

    def note(change: AnyChange, at: Micros) -> None:
        own = change.position != NONE
        item = (
            ownership.changes.ids[change.position] if own else -ownership.places.ids[change.commit]
        )
        found[int(item)] = min(found.get(int(item), at), at)

    for reverting, target in ownership.reverts:
        earlier, later = by.position(target), by.position(reverting)
        if earlier < later < NEVER and not ownership.is_revert(target):
            note(target, int(by.deployed.finished_at[later]))
    for incident in incidents:
        if incident.began_at == MISSING:
            continue
        if incident.cause_commit > NONE:
            change = ownership.change_of(incident.cause_commit)
            if change.position != NONE or change.commit < len(ownership.places):
                note(change, incident.began_at)
        for at in ownership.changes.of_key(incident.cause_change or ""):
            note(AnyChange(at), incident.began_at)
    return found


def judged(facts: ServiceFacts) -> list[JudgedPart]:
    """The parts of the deployments of a service, and what each was judged against."""
    by = _attribute(facts)
    return list(judge_parts(by.groups, by.ancestry).rows(by.groups.records))


def _attribute(facts: ServiceFacts) -> _Traced:
    live = _live(facts.records)
    groups = group(live)
    mine = facts.history.belonging.of(facts.belongs)
    if len(facts.history.graph) > 0 and (live.commits != NONE).any():
        return _by_graph(groups, facts, mine)
    return _by_time(groups, facts.history, mine)


def _live(records: DeploymentRecords) -> DeploymentRecords:
    """The records that reached production at a known time: the finish, else the start."""
    live = records.take(records.are(*LIVE))
    when = np.where(live.finished_at == MISSING, live.started_at, live.finished_at)
    return replace(live, finished_at=when).take(when != MISSING)


def _by_graph(groups: Grouping, facts: ServiceFacts, mine: Mine) -> _Traced:
    history, records = facts.history, groups.records
    graph, ownership = history.graph, history.ownership
    places = graph.find(records.commits[groups.last])
    brought = np.where(records.are(Status.ROLLED_BACK)[groups.last], NONE, places)
    reached = history.first_reached(brought.tolist())
    ancestry = _ByGraph(graph, reached)

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


def _by_time(groups: Grouping, history: History, mine: Mine) -> _Traced:
    """Each pull request in the first forward deployment that started after its merge (rule C2).

    The first is the one that was there first, which may have started after another.
    """
    ancestry = _ByOrder(groups)
    deployed = judge(groups, ancestry)
    forward = np.flatnonzero(deployed.are(Kind.FORWARD) & ~deployed.rolled_back)
    forward = forward[np.argsort(deployed.began_at[forward], kind="stable")]
    begins, positions = deployed.began_at[forward], np.append(forward, NEVER)
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


def _attempts(records: DeploymentRecords) -> DeploymentColumns:
    """Runs that ended before production (rule D1): counted and shown, outside all five metrics."""
    ended = (Status.FAILED, Status.CANCELLED, Status.SKIPPED, Status.SUPERSEDED)
    unfinished = records.finished_at == MISSING
    when = np.where(unfinished, records.started_at, records.finished_at)
    at = np.flatnonzero(records.are(*ended) & (when != MISSING))
    at = at[time_order(when[at], records.keys[at], records.ids[at])]
    records, when, no = records.take(at), when[at], np.zeros(len(at), dtype=bool)
    return DeploymentColumns(
        ids=records.ids,
        keys=records.keys,
        kinds=np.full(len(at), kind_code(Kind.ATTEMPT)),
        started_at=records.started_at,
        finished_at=when,
        commits=records.commits,
        identities=np.full(len(at), NONE),
        rolled_back=no,
        first=no,
        removed=np.full(len(at), NONE),
        planned=records.planned,
        hotfix=no,
        ships=no,
        unplanned=np.zeros(len(at), dtype=np.int64),
        record_of=np.arange(len(at)),
        record_ids=records.ids,
        record_keys=records.keys,
        record_environments=records.environments,
    )


def _scene(facts: ServiceFacts, by: _Traced, rules: Rules) -> Scene:
    find, closers = _finder(by), _closers(by)
    return Scene(
        deployed=by.deployed,
        ancestry=by.ancestry,
        incidents=_concerning(facts, find, closers),
        triage=facts.triage,
        reverts=sorted(_reverts(by, rules)),
        closers=closers,
        hotfixes=_hotfixes(facts.history, by, rules),
        find=find,
        suspect_within=rules.incident_window // timedelta(microseconds=1),
    )


def _finder(by: _Traced) -> Finder:
    """Look up deployments; what the first one shipped was shipped before the known history."""
    ownership, changes = by.ownership, by.ownership.changes
    counted = np.where(by.deployed.first, NONE, np.arange(len(by.deployed)))

    def by_change(key: str) -> int | None:
        shipped = [at for _, at in by.shipped_in(changes.of_key(key))]
        return int(counted[shipped[-1]]) if shipped else None

    def by_commit(sha: int) -> int:
        position = min(by.commit(sha), by.position(ownership.change_of(sha)))
        return NONE if position == NEVER else int(counted[position])

    return Finder(by_record=by.deployed.by_record, by_commit=by_commit, by_change=by_change)


def _closers(by: _Traced) -> dict[str, list[int]]:
    """Incidents with the deployments, in order, that shipped a change naming them."""
    closers: dict[str, set[int]] = defaultdict(set)
    closes = by.ownership.changes.closes
    for at, position in by.shipped_in(closes):
        if not by.deployed.first[position]:
            for incident in closes[at]:
                closers[incident].add(position)
    return {incident: sorted(positions) for incident, positions in sorted(closers.items())}


def _hotfixes(history: History, by: _Traced, rules: Rules) -> frozenset[int]:
    """Deployments that are a hotfix by their own word, or ship one by label or branch (rule F4)."""
    own = np.flatnonzero(by.deployed.hotfix | (by.deployed.planned == 0)).tolist()
    shipped = {
        position
        for _, position in by.shipped_in(history.hotfixes(rules))
        if not by.deployed.first[position]
    }
    return frozenset(shipped.union(own))


def _concerning(
    facts: ServiceFacts, find: Finder, closers: Mapping[str, Sequence[int]]
) -> list[IncidentRow]:
    """The incidents that name this service, or what this service shipped."""
    decisions = {row.record: row for row in sorted(facts.triage, key=when_decided)}
    linked = [record for record, row in decisions.items() if find.cause(row) is not None]
    incidents = facts.incidents
    found = incidents.concerning(facts.service.name, records=find.by_record, linked=linked)
    for at, incident in incidents.of_no_service.items():
        if incident.key in closers or (
            incident.names_cause and any(of is not None for of, _ in find.named_by(incident))
        ):
            found.add(at)
    return [incidents.rows[at] for at in sorted(found)]


def _reverts(by: _Traced, rules: Rules) -> Iterable[Revert]:
    """Shipped reverts of what an earlier deployment shipped; a revert of a revert is none."""
    ownership, labels = by.ownership, by.ownership.changes.labels
    patterns = (*rules.hotfix_labels, *rules.incident_labels)
    for reverting, target in ownership.reverts:
        by_position, at_position = by.position(reverting), by.position(target)
        if NEVER in (by_position, at_position) or by_position <= at_position:
            continue
        if by.deployed.first[[at_position, by_position]].any() or ownership.is_revert(target):
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


def _ships(by: _Traced) -> Flags:
    """Tell of each deployment whether what it shipped is known and counts."""
    deployed = by.deployed
    counts: Flags = deployed.are(Kind.FORWARD) & ~deployed.first & ~deployed.rolled_back
    return counts & by.ancestry.known(deployed.commits) if by.names_commits else counts


def _rework(deployed: DeploymentColumns, scene: Scene, evidence: Iterable[Evidence]) -> Ints:
    """For each deployment why it was unplanned, as a place in UNPLANNED (rule F4)."""
    known = {incident.key for incident in scene.incidents}
    fixes = [at for key, found in scene.closers.items() if key in known for at in found]
    reverts = [e.restored_by for e in evidence if e.grade == "B" and e.what == "revert"]
    why = np.zeros(len(deployed), dtype=np.int64)
    for reason, found in (("hotfix", [*scene.hotfixes]), ("revert", reverts), ("fix", fixes)):
        why[found] = UNPLANNED.index(reason)
    why[~deployed.are(Kind.FORWARD)] = 0
    why[deployed.are(Kind.ROLLBACK)] = UNPLANNED.index("rollback")
    return why


def _problems(facts: ServiceFacts, by: _Traced) -> dict[str, list[str]]:
    """Faults of the data, by reason: examples named by the source's ids."""
    deployed = by.deployed
    unknown = deployed.commits == NONE
    problems = {
        "stale": deployed.are(Kind.STALE),
        "unknown_commit": unknown,
        "commit_not_collected": ~unknown
        & ~by.ancestry.known(deployed.commits)
        & ~deployed.rolled_back,
    }
    found = {reason: deployed.keys[marked].tolist() for reason, marked in problems.items()}
    found |= _lacking_times(facts.records)
    keys, mine = by.ownership.changes.keys, by.mine.changes
    odd = sorted(by.ownership.changes.odd_backports)
    found["backports_not_understood"] = [keys[at] for at in odd if mine[at]]
    if by.lacks_history:
        found["parents_not_collected"] = [facts.service.name]
    return {reason: examples for reason, examples in found.items() if examples}


def _lacking_times(records: DeploymentRecords) -> dict[str, list[str]]:
    """Runs that ended, nobody says when: those booked at their start, and those left out."""
    ended = ~records.are(Status.IN_PROGRESS) & (records.finished_at == MISSING)
    untimed = ended & (records.started_at == MISSING)
    found = {"no_time": untimed, "no_finish": ended & ~untimed & records.are(*LIVE)}
    return {reason: sorted(records.keys[marked].tolist()) for reason, marked in found.items()}
