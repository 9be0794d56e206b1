"""One service traced: its deployments, what they shipped, and what they broke.

Tracing may go on from deployments that were traced before (`Past`); it then comes to what tracing
all of them anew would come to, or says by `Disturbed` that it cannot.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import accumulate

import numpy as np

from vpemetrics.lineage.changes import (
    NEVER,
    AnyChange,
    Belonging,
    CommitFacts,
    Mine,
    Ownership,
    direct_commits,
    first_shipped,
)
from vpemetrics.lineage.failures import Finder, Scene, weigh, when_decided
from vpemetrics.lineage.graph import Graph, Ints
from vpemetrics.lineage.kinds import (
    Ancestry,
    Group,
    JudgedPart,
    Standing,
    group,
    judge,
    judge_parts,
)
from vpemetrics.lineage.rows import (
    NONE,
    ChangeRow,
    Deployed,
    DeploymentRow,
    Evidence,
    IncidentRow,
    Item,
    Kind,
    Lineage,
    Marks,
    Revert,
    Shipped,
    TriageRow,
    WaitingChange,
)
from vpemetrics.records import Status
from vpemetrics.rules import LeadTimeStart, Rules, Service, matches
from vpemetrics.window import MINUTE, MISSING, Micros

SKEW = 5 * MINUTE


@dataclass(frozen=True, kw_only=True)
class History:
    """The commits and pull requests of the repositories a service is deployed from."""

    ownership: Ownership
    belonging: Belonging
    committed_at: Sequence[Micros] = ()
    default_branches: Mapping[str, str] = field(default_factory=dict)

    def on_other_branch(self, change: ChangeRow) -> bool:
        """Tell whether a pull request was merged into another branch than the default one."""
        default = self.default_branches.get(change.repository)
        return bool(default and change.base_branch and change.base_branch != default)

    @property
    def graph(self) -> Graph:
        """The commits' graph; empty where none were collected."""
        return self.ownership.graph

    @property
    def facts(self) -> CommitFacts:
        """The other facts about the commits."""
        return self.ownership.facts


class Disturbed(Exception):
    """Something new concerns deployments that were settled: the service is to be traced anew."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """Deployments of a service that were traced before and are settled.

    `live` is what they left in each environment, `marks` what is known of them, `reached` the
    position of the one that first reached each commit of the graph. `shipped` has the pull
    requests they shipped, by id, of those the history still tells of; `empty` are those without
    a commit of their own; `undecided` the commits whose owner nobody knew.
    """

    deployed: Sequence[Deployed] = ()
    live: Mapping[str, DeploymentRow] = field(default_factory=dict)
    reached: Sequence[int] | None = None
    shipped: Mapping[int, int] = field(default_factory=dict)
    empty: frozenset[int] = frozenset()
    undecided: frozenset[int] = frozenset()
    marks: Marks = field(default_factory=Marks)

    def __len__(self) -> int:
        return len(self.deployed)


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """The facts about one service: production records, and all that may concern it.

    `rows` are those after the `past`. `incidents` are those that name the service, or none, or
    a cause themselves; `named` tells whether one names this service.
    """

    service: Service
    rows: Sequence[DeploymentRow]
    history: History
    incidents: Sequence[IncidentRow] = ()
    triage: Sequence[TriageRow] = ()
    named: Callable[[IncidentRow], bool] = lambda _incident: True
    belongs: Callable[[str], bool] | None = None
    past: Past = field(default_factory=Past)


class _ByGraph:
    """Ancestry read off the commit graph."""

    guessed = False

    def __init__(self, graph: Graph, reached: Sequence[int]) -> None:
        self._graph, self._reached = graph, reached

    def knows(self, commit: int) -> bool:
        return commit in self._graph.index

    def contains(self, commit: int, ancestor: int) -> bool:
        index = self._graph.index
        return self._graph.contains(index[commit], index[ancestor], self._reached)


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
class _Attribution:
    """The deployments of a service, and which of them (by position) first shipped what."""

    how: str
    groups: list[Group]
    deployed: Sequence[Deployed]
    ancestry: Ancestry
    mine: Sequence[int]
    """The positions of the service's pull requests."""
    changes: Mapping[int, int]
    """Those shipped, each with the position of the deployment."""
    direct: Mapping[int, int]
    commit: Callable[[int], int]
    reached: Sequence[Ints] = ()
    """The ids of the commits that each deployment after the settled ones was first to reach."""
    lacks_history: bool = False
    """True if history is cut where it counts: the first deployment ships no counted changes."""

    @cached_property
    def names_commits(self) -> bool:
        """True if any deployment says which commit it brought."""
        return any(one.commit != NONE for one in self.deployed)


def trace(facts: ServiceFacts, rules: Rules) -> Lineage:
    """Trace who shipped and who broke what in one service; deployments are named by position."""
    by = _attributed(facts)
    marks = _marks(facts, by, rules)
    scene = _scene(facts, by, marks, rules)
    evidence = weigh(scene)
    deployed = [
        one._replace(ships=_ships(one, by), unplanned=why)
        for one, why in zip(by.deployed, _rework(by.deployed, scene, evidence), strict=True)
    ]
    settled = len(facts.past)
    return Lineage(
        deployed=[*deployed[settled:], *_attempts(facts.rows)],
        shipped=[*_shipped_changes(facts, by, rules), *_shipped_commits(facts, by, rules)],
        waiting=list(_waiting(facts, by)),
        evidence=evidence,
        attribution=by.how,
        problems=_problems(facts, by),
        marks=marks,
        reached=by.reached,
        amended={
            at: one
            for at, (one, before) in enumerate(zip(deployed, facts.past.deployed, strict=False))
            if one.unplanned != before.unplanned
        },
    )


def judged(facts: ServiceFacts) -> list[list[JudgedPart]]:
    """The parts of each deployment of a service, and what each was judged against."""
    by = _attributed(facts)
    return judge_parts(by.groups, by.ancestry, Standing())


def _attributed(facts: ServiceFacts) -> _Attribution:
    live = [row for row in facts.rows if row.status in (Status.SUCCEEDED, Status.ROLLED_BACK)]
    groups = group(row for row in live if row.finished_at != MISSING)
    commits = {row.commit for row in live} | {one.commit for one in facts.past.deployed}
    mine = facts.history.belonging.of(facts.belongs)
    if len(facts.history.graph) > 0 and commits - {NONE}:
        return _by_graph(groups, facts, mine)
    if len(facts.past):
        raise Disturbed
    return _by_time(groups, facts.history, mine)


def _by_graph(groups: list[Group], facts: ServiceFacts, mine: Mine) -> _Attribution:
    graph, ownership, past = facts.history.graph, facts.history.ownership, facts.past
    belongs, paths = facts.belongs, facts.history.facts.paths
    tips = (
        NONE if g.last.status == Status.ROLLED_BACK else graph.index.get(g.last.commit, NONE)
        for g in groups
    )
    reached = graph.first_reached(tips, len(past), past.reached)
    ancestry = _ByGraph(graph, reached)

    def commit(sha: int) -> int:
        at = graph.index.get(sha, NONE)
        if at < 0 or reached[at] < 0:
            return NEVER
        touches = belongs is None or at not in paths or any(map(belongs, paths[at]))
        return reached[at] if touches else NEVER

    ids = [change.id for change in ownership.changes]
    before = {at: past.shipped[id_] for at, id_ in enumerate(ids) if id_ in past.shipped}
    now = first_shipped(ownership, reached, [at for at in mine.changes if at not in before])
    _check_settled(past, ownership, now, reached)
    return _Attribution(
        how="graph",
        groups=groups,
        deployed=[*past.deployed, *judge(groups, ancestry, _standing(past, ancestry))],
        ancestry=ancestry,
        mine=mine.changes,
        changes=dict(sorted((before | now).items())),
        direct=direct_commits(ownership, reached, mine.commits),
        commit=commit,
        reached=_by_position(graph, reached, len(past), len(groups)),
        lacks_history=any(reached[at] > 0 for at in graph.cut),
    )


def _standing(past: Past, ancestry: Ancestry) -> Standing:
    """The state that the settled deployments left, to judge later ones against."""
    standing = Standing(count=len(past))
    for at, one in enumerate(past.deployed):
        lives = not one.rolled_back and ancestry.knows(one.commit)
        if lives:
            standing.arrived[one.commit].add(at)
        for name in one.environments:
            environment = standing.environments[name]
            environment.reached = True
            if lives:
                environment.lived.add(one.commit)
    for name, row in past.live.items():
        standing.environments[name].live = row
    return standing


def _check_settled(
    past: Past, ownership: Ownership, now: Mapping[int, int], reached: Sequence[int]
) -> None:
    """Disturbed if a settled deployment shipped what was nobody's, or not merged, until now."""
    index, settled = ownership.graph.index, len(past)
    early = (ownership.changes[at].id for at, position in now.items() if position < settled)
    decided = (sha for sha in past.undecided - ownership.undecided if sha not in ownership.owner)
    places = (index[sha] for sha in decided if sha in index)
    if not past.empty.issuperset(early) or any(NONE < reached[place] < settled for place in places):
        raise Disturbed


def _by_position(graph: Graph, reached: Sequence[int], start: int, count: int) -> list[Ints]:
    """The ids of the commits that each of some deployments was the first to reach."""
    positions = np.array(reached, dtype=np.int64)
    places = np.flatnonzero(positions >= start)
    places = places[np.argsort(positions[places], kind="stable")]
    ends = np.searchsorted(positions[places], np.arange(start + 1, start + count))
    return np.split(graph.ids[places], ends) if count else []


def _by_time(groups: list[Group], history: History, mine: Mine) -> _Attribution:
    """Each pull request in the first forward deployment that started after its merge (rule C2).

    The first is the one that was there first, which may have started after another.
    """
    ancestry = _ByOrder(groups)
    deployed = judge(groups, ancestry, Standing())
    forward = sorted(
        (d.began_at, at)
        for at, d in enumerate(deployed)
        if d.kind == Kind.FORWARD and not d.rolled_back
    )
    begins = [began for began, _ in forward]
    firsts = list(accumulate((at for _, at in reversed(forward)), min))[::-1]

    def shipped_at(change: ChangeRow) -> int:
        if history.on_other_branch(change):
            return NEVER
        place = bisect_right(begins, change.merged_at)
        return firsts[place] if place < len(firsts) else NEVER

    changes = history.ownership.changes
    shipped = ((at, shipped_at(changes[at])) for at in mine.changes)
    return _Attribution(
        how="time",
        groups=groups,
        deployed=deployed,
        ancestry=ancestry,
        mine=mine.changes,
        changes={at: position for at, position in shipped if position != NEVER},
        direct={},
        commit=ancestry.position,
    )


def _shipped_changes(facts: ServiceFacts, by: _Attribution, rules: Rules) -> Iterable[Shipped]:
    ownership, start = facts.history.ownership, rules.lead_time_start
    for at, position in by.changes.items():
        if position < len(facts.past) or ownership.is_empty(at):
            continue
        change = ownership.changes[at]
        dates = ownership.author_dates(at)
        first_at = _first_at(ownership, at, dates)
        starts, at_merge = _starts(change.merged_at, start, first_at, dates)
        reason = _reason(by, position, starts, start, is_bot=ownership.is_bot(at))
        merged_at = change.merged_at
        yield Shipped(change.id, NONE, position, starts, merged_at, first_at, at_merge, reason)


def _shipped_commits(facts: ServiceFacts, by: _Attribution, rules: Rules) -> Iterable[Shipped]:
    history, start = facts.history, rules.lead_time_start
    authored_at = history.facts.authored_at
    dates = history.committed_at if start == LeadTimeStart.MERGE else authored_at
    for sha, position in by.direct.items():
        if position < len(facts.past):
            continue
        commit = history.graph.index[sha]
        starts = (dates[commit],) if dates[commit] != MISSING else ()
        is_bot = history.facts.is_bot[commit] == 1
        reason = _reason(by, position, starts, start, is_bot=is_bot)
        yield Shipped(NONE, sha, position, starts, MISSING, authored_at[commit], False, reason)


def _first_at(ownership: Ownership, at: int, dates: Sequence[Micros]) -> Micros:
    """The author date of a pull request's first commit; what the source says if we miss some."""
    said = ownership.changes[at].first_commit_at
    if dates and (said == MISSING or len(dates) == len(ownership.originals[at])):
        return dates[0]
    return said if not dates else min(said, dates[0])


def _starts(
    merged_at: Micros, start: LeadTimeStart, first_at: Micros, dates: Sequence[Micros]
) -> tuple[tuple[Micros, ...], bool]:
    """The moments lead time is counted from, and whether they fell back to the merge."""
    if start == LeadTimeStart.MERGE:
        return (merged_at,), False
    if first_at == MISSING:
        return (merged_at,), True
    if start == LeadTimeStart.EACH_COMMIT and dates:
        return tuple(dates), False
    return (first_at,), False


def _reason(
    by: _Attribution,
    position: int,
    starts: tuple[Micros, ...],
    start: LeadTimeStart,
    *,
    is_bot: bool,
) -> str | None:
    """The reason why a shipped change is left out of lead time; None if it is in."""
    deployed = by.deployed[position]
    if deployed.first:
        return "first_deployment"
    if deployed.commit == NONE and by.names_commits:
        return "unknown_commit"
    if is_bot:
        return "bot"
    if not starts:
        return "no_author_date"
    if deployed.finished_at - starts[0] >= -SKEW:  # the earliest, so the longest
        return None
    return "deployed_before_merge" if start == LeadTimeStart.MERGE else "negative"


def _waiting(facts: ServiceFacts, by: _Attribution) -> Iterable[WaitingChange]:
    ownership = facts.history.ownership
    for at in by.mine:
        change = ownership.changes[at]
        if ownership.is_empty(at):
            yield WaitingChange(change.id, "no_commit_left")
        elif at not in by.changes:
            if facts.history.on_other_branch(change):
                yield WaitingChange(change.id, "other_branch")
            else:
                yield WaitingChange(change.id, "bot" if ownership.is_bot(at) else None)


def _attempts(rows: Iterable[DeploymentRow]) -> Iterable[Deployed]:
    """Runs that ended before production (rule D1): counted and shown, outside all five metrics."""
    ended = (Status.FAILED, Status.CANCELLED, Status.SKIPPED, Status.SUPERSEDED)
    for row in rows:
        when = row.finished_at if row.finished_at != MISSING else row.started_at
        if row.status in ended and when != MISSING:
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


def _marks(facts: ServiceFacts, by: _Attribution, rules: Rules) -> Marks:
    """The marks of the shipped changes on deployments, settled ones included."""
    ownership, before = facts.history.ownership, facts.past.marks
    closers = defaultdict(set, {key: set(ats) for key, ats in before.closers.items()})
    for incident, at in _closers(ownership, by):
        closers[incident].add(at)
    return Marks(
        reverts={**before.reverts, **_reverts(ownership, by, rules)},
        closers={incident: sorted(ats) for incident, ats in sorted(closers.items())},
        hotfixes=before.hotfixes | _hotfixes(ownership, by, rules),
    )


def _scene(facts: ServiceFacts, by: _Attribution, marks: Marks, rules: Rules) -> Scene:
    find, closers = _finder(facts.history.ownership, by), marks.closers
    of_commit: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(by.deployed):
        if one.commit != NONE:
            of_commit[one.commit].append(at)
    return Scene(
        deployed=by.deployed,
        of_commit=of_commit,
        ancestry=by.ancestry,
        incidents=[i for i in facts.incidents if _concerns(i, facts, find, closers)],
        triage=facts.triage,
        reverts=sorted(marks.reverts.values()),
        closers=closers,
        hotfixes=marks.hotfixes,
        find=find,
        suspect_within=rules.incident_window // timedelta(microseconds=1),
    )


def _finder(ownership: Ownership, by: _Attribution) -> Finder:
    """Look up deployments; what the first one shipped was shipped before the known history."""
    counted = [NONE if d.first else at for at, d in enumerate(by.deployed)]
    by_change = {
        ownership.changes[at].key: counted[position] for at, position in by.changes.items()
    }

    def by_commit(sha: int) -> int:
        change = by.changes.get(ownership.owner.get(sha, NONE), NEVER)
        picked = by.direct.get(ownership.pick_roots.get(sha, sha), NEVER)
        position = min(by.commit(sha), change, picked)
        return NONE if position == NEVER else counted[position]

    by_record = {key: at for at, d in enumerate(by.deployed) for key in d.keys}
    return Finder(by_record=by_record, by_commit=by_commit, by_change=by_change)


def _closers(ownership: Ownership, by: _Attribution) -> Iterable[tuple[str, int]]:
    """Incidents with the deployments that shipped a change naming them."""
    for at, position in by.changes.items():
        if not by.deployed[position].first:
            for incident in ownership.changes[at].closes:
                yield incident, position


def _hotfixes(ownership: Ownership, by: _Attribution, rules: Rules) -> frozenset[int]:
    """Deployments that are a hotfix by their own word, or ship one by label or branch (rule F4)."""
    own = {at for at, d in enumerate(by.deployed) if d.hotfix or d.planned is False}
    shipped = {
        position
        for at, position in by.changes.items()
        if _is_hotfix(ownership.changes[at], rules) and not by.deployed[position].first
    }
    return frozenset(own | shipped)


def _is_hotfix(change: ChangeRow, rules: Rules) -> bool:
    if not change.labels and not change.head_branch:
        return False
    if any(matches(label, rules.hotfix_labels) for label in change.labels):
        return True
    return bool(change.head_branch) and matches(change.head_branch or "", rules.hotfix_branches)


def _concerns(
    incident: IncidentRow,
    facts: ServiceFacts,
    find: Finder,
    closers: Mapping[str, Sequence[int]],
) -> bool:
    """Tell whether an incident names this service, or what this service shipped."""
    if facts.named(incident) or incident.cause_deployment in find.by_record:
        return True
    decisions = [row for row in facts.triage if row.record == incident.key]
    if decisions and find.cause(max(decisions, key=when_decided)) is not None:
        return True
    return not incident.services and (
        incident.key in closers or any(at is not None for at, _ in find.named_by(incident))
    )


def _reverts(
    ownership: Ownership, by: _Attribution, rules: Rules
) -> dict[tuple[Item, Item], Revert]:
    """Shipped reverts of what an earlier deployment shipped; a revert of a revert is none."""
    found: dict[tuple[Item, Item], Revert] = {}
    for reverting, target in ownership.reverts:
        by_position, at_position = _position(reverting, by), _position(target, by)
        if NEVER in (by_position, at_position) or by_position <= at_position:
            continue
        first = by.deployed[at_position].first or by.deployed[by_position].first
        if first or _is_revert(target, ownership):
            continue
        labelled = any(
            matches(label, (*rules.hotfix_labels, *rules.incident_labels))
            for at, _ in (reverting, target)
            if at != NONE
            for label in ownership.changes[at].labels
        )
        found[_item(reverting, ownership), _item(target, ownership)] = Revert(
            target=at_position,
            by=by_position,
            labelled=labelled,
            change=_name(target, ownership),
        )
    return found


def _item(change: AnyChange, ownership: Ownership) -> Item:
    at, sha = change
    return -sha if at == NONE else ownership.changes[at].id


def _position(change: AnyChange, by: _Attribution) -> int:
    at, sha = change
    return by.direct.get(sha, NEVER) if at == NONE else by.changes.get(at, NEVER)


def _is_revert(change: AnyChange, ownership: Ownership) -> bool:
    """Tell whether a change is nothing but reverts itself."""
    at, sha = change
    if at != NONE and ownership.changes[at].reverts:
        return True
    index, reverts = ownership.graph.index, ownership.facts.reverts
    own = [sha] if at == NONE else ownership.originals[at]
    commits = own or [ownership.changes[at].merge_commit]
    return all(index.get(one, NONE) in reverts for one in commits)


def _name(change: AnyChange, ownership: Ownership) -> str:
    at, _ = change
    return ownership.changes[at].key if at != NONE else "a direct commit"


def _ships(one: Deployed, by: _Attribution) -> bool:
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


def _problems(facts: ServiceFacts, by: _Attribution) -> dict[str, list[str]]:
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
