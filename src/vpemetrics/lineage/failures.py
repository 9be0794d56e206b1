"""Failures and the deployments that caused them, by graded evidence (rules F1 and F4)."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vpemetrics.lineage.deployments import DeploymentColumns
from vpemetrics.lineage.graph import NEVER
from vpemetrics.lineage.kinds import Ancestry
from vpemetrics.lineage.rows import (
    NONE,
    Deployed,
    Evidence,
    IncidentRow,
    Kind,
    Revert,
    TriageRow,
)
from vpemetrics.records import Verdict
from vpemetrics.window import DAY, MISSING, Micros

NEAR: Final = 7 * DAY
CONFIRMED: Final = "ABC"

Removals = dict[int, list[tuple[Micros, Micros]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finder:
    """The deployments, by position, in which a service shipped what an incident or a person names.

    What was shipped by nothing countable is at NONE; `by_change` has None for what was not.
    """

    by_record: Mapping[str, int]
    by_commit: Callable[[int], int]
    by_change: Callable[[str], int | None]

    def named_by(self, incident: IncidentRow) -> Iterable[tuple[int | None, str]]:
        """The deployments an incident names, each with how; None where it is not ours."""
        if incident.cause_deployment:
            yield self.by_record.get(incident.cause_deployment), "names the deployment"
        if incident.cause_commit != NONE:
            yield _known(self.by_commit(incident.cause_commit)), "names the commit"
        if incident.cause_change:
            yield _known(self.by_change(incident.cause_change)), "names the pull request"

    def cause(self, decision: TriageRow) -> int | None:
        """The deployment a person's link means; None where it is not ours."""
        if decision.cause is None:
            return None
        if decision.cause in self.by_record:
            return self.by_record[decision.cause]
        if (shipped := self.by_change(decision.cause)) is not None:
            return _known(shipped)
        return (
            None if decision.cause_commit == NONE else _known(self.by_commit(decision.cause_commit))
        )


def _known(at: int | None) -> int | None:
    return None if at == NONE else at


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """All that evidence about one service is judged by; deployments by position.

    `closers` maps an incident's key to the deployments that ship a change naming it.
    """

    deployed: DeploymentColumns
    ancestry: Ancestry
    incidents: Sequence[IncidentRow]
    triage: Sequence[TriageRow]
    reverts: Sequence[Revert]
    closers: Mapping[str, Sequence[int]]
    hotfixes: frozenset[int]
    find: Finder
    suspect_within: Micros


def weigh(scene: Scene) -> list[Evidence]:
    """All evidence about a service, the chosen one of each incident marked.

    Deployments are named by position in `scene.deployed`.
    """
    rollbacks = [r for at in scene.deployed.of(Kind.ROLLBACK) if (r := _rollback(scene, at))]
    live = Live(scene.deployed, _removals(scene))
    found = [
        *_own_rollbacks(scene),
        *rollbacks,
        *_reverts(scene),
        *(e for incident in scene.incidents for e in _incident(scene, incident, live)),
    ]
    return _with_triage(scene, found)


def _own_rollbacks(scene: Scene) -> Iterable[Evidence]:
    for at in np.flatnonzero(scene.deployed.rolled_back).tolist():
        yield Evidence(at, NONE, "A", "rolled_back", "its own run rolled it back", at, True)


def rolled_back_to(scene: Scene, at: int) -> int:
    """The position of a rollback's target: the last earlier deployment of its commit or version.

    Where there is none, of an ancestor; NONE if no such is known.
    """
    deployed, rollback = scene.deployed, scene.deployed[at]
    same = deployed.same_as(at)
    for b in reversed(same[: bisect_left(same, at)]):
        if _beside(deployed[b], rollback):
            return b
    if scene.ancestry.guessed or not scene.ancestry.known(deployed.commits[at : at + 1])[0]:
        return NONE
    known = np.flatnonzero(scene.ancestry.known(deployed.commits[:at]))
    for b in reversed(known.tolist()):
        if _beside(deployed[b], rollback) and scene.ancestry.contains(
            rollback.commit, deployed[b].commit
        ):
            return b
    return NONE


def _rollback(scene: Scene, at: int) -> Evidence | None:
    rollback = scene.deployed[at]
    target = rolled_back_to(scene, at)
    if target == NONE:
        return None
    between = (b for b in range(target + 1, at) if _beside(scene.deployed[b], rollback))
    blamed = next((b for b in between if scene.deployed[b].kind == Kind.FORWARD), None)
    if blamed is None:
        return None
    if _undone(scene, at):
        return Evidence(
            blamed,
            NONE,
            "D",
            "rollback_undone",
            f"rolled back by {rollback.key}, put back unchanged",
            at,
            True,
        )
    detail = f"rolled back by {rollback.key}"
    return Evidence(blamed, NONE, "B", "rollback", detail, at, True)


def _beside(one: Deployed, rollback: Deployed) -> bool:
    """Tell whether a deployment was live in an environment that a rollback touched."""
    return not one.rolled_back and not one.environments.isdisjoint(rollback.environments)


def _undone(scene: Scene, at: int) -> bool:
    """Tell whether what a rollback removed came back before any other forward deployment."""
    rollback = scene.deployed[at]
    for place in range(at + 1, len(scene.deployed)):
        later = scene.deployed[place]
        if not _beside(later, rollback):
            continue
        if later.identity == rollback.removed:
            return True
        if later.kind == Kind.FORWARD:
            return False
    return False


def _removals(scene: Scene) -> Removals:
    """The times each forward deployment was out of production: from a rollback to its return."""
    out: Removals = defaultdict(list)
    for at in scene.deployed.of(Kind.ROLLBACK):
        rollback, target = scene.deployed[at], rolled_back_to(scene, at)
        if target == NONE:
            continue
        for removed in range(target + 1, at):
            if not _beside(scene.deployed[removed], rollback):
                continue
            same = scene.deployed.same_as(removed)
            back = (
                scene.deployed[later].finished_at
                for later in same[bisect_right(same, at) :]
                if _beside(scene.deployed[later], rollback)
            )
            out[removed].append((rollback.finished_at, next(back, NEVER)))
    return out


def _reverts(scene: Scene) -> Iterable[Evidence]:
    supporting = _supporting(scene)
    for revert in scene.reverts:
        together = _together_with(scene, revert, supporting)
        if together:
            detail = f"{revert.change} was reverted, {together}"
            yield Evidence(revert.target, NONE, "B", "revert", detail, revert.by, True)
        else:
            detail = f"{revert.change} was reverted"
            yield Evidence(revert.target, NONE, "D", "revert_alone", detail, revert.by, True)


def _supporting(scene: Scene) -> list[IncidentRow]:
    """Incidents that may stand beside a revert: those that a deployment may have caused."""
    latest = {row.record: row.verdict for row in sorted(scene.triage, key=when_decided)}
    return [
        incident
        for incident in scene.incidents
        if not incident.external and latest.get(incident.key) != Verdict.REJECT
    ]


def _together_with(scene: Scene, revert: Revert, supporting: Iterable[IncidentRow]) -> str | None:
    """The thing near a revert that makes it mend a failure: a label, an incident or a hotfix."""
    target, when = scene.deployed[revert.target], scene.deployed[revert.by].finished_at
    near = when - target.finished_at <= NEAR
    if revert.labelled and near:
        return "labelled"
    for incident in supporting:
        began = incident.began_at
        if target.began_at <= began and abs(began - when) <= NEAR:
            return f"with incident {incident.key}"
    if near and not scene.hotfixes.isdisjoint((revert.by, revert.target)):
        return "with a hotfix"
    return None


class Live:
    """The forward deployment that was in production at a moment."""

    def __init__(self, deployed: DeploymentColumns, removals: Removals) -> None:
        self._removals = removals
        rolled_back = np.flatnonzero(deployed.rolled_back)
        finished_at = deployed.finished_at[rolled_back].tolist()
        self._rolled_back = dict(zip(rolled_back.tolist(), finished_at, strict=True))
        forward = np.flatnonzero(deployed.are(Kind.FORWARD))
        forward = forward[np.argsort(deployed.began_at[forward], kind="stable")]
        self._order: list[int] = forward.tolist()
        self._began: list[Micros] = deployed.began_at[forward].tolist()

    def at(self, moment: Micros, but: int = NONE) -> int | None:
        """The latest one begun by a moment and not rolled back since, other than `but`."""
        for place in range(bisect_right(self._began, moment) - 1, -1, -1):
            at = self._order[place]
            if at == but or self._rolled_back.get(at, NEVER) <= moment:
                continue
            if any(out <= moment < back for out, back in self._removals.get(at, ())):
                continue
            return at
        return None


def _incident(scene: Scene, incident: IncidentRow, live: Live) -> list[Evidence]:
    found = list(_named(scene, incident))
    if incident.names_cause and not found:
        detail = "the cause it names was not shipped in this service"
        return [Evidence(NONE, incident.id, "E", "named_not_shipped", detail, NONE, True)]
    found.extend(_by_fix_or_time(scene, incident, live))
    if not found:
        return [Evidence(NONE, incident.id, "E", "unknown", "no evidence of a cause", NONE, True)]
    best = min(found, key=lambda e: e.grade)
    return [e._replace(chosen=e is best) for e in found]


def _named(scene: Scene, incident: IncidentRow) -> Iterable[Evidence]:
    for at, how in scene.find.named_by(incident):
        if at is not None:
            yield Evidence(at, incident.id, "A", "named", how, NONE, True)


def _by_fix_or_time(scene: Scene, incident: IncidentRow, live: Live) -> Iterable[Evidence]:
    began = incident.began_at
    if incident.external:
        yield Evidence(NONE, incident.id, "E", "external", "its cause is outside", NONE, True)
        return
    if began == MISSING:
        return
    for fix in scene.closers.get(incident.key, ()):
        blamed = live.at(began, but=fix)
        if blamed is not None:
            key = scene.deployed[fix].key
            yield Evidence(blamed, incident.id, "C", "fix", f"fixed by {key}", fix, True)
    blamed = live.at(began)
    if blamed is not None and began - scene.deployed.began_at[blamed] <= scene.suspect_within:
        detail = "began soon after the deployment"
        yield Evidence(blamed, incident.id, "D", "time", detail, NONE, True)


def _with_triage(scene: Scene, found: list[Evidence]) -> list[Evidence]:
    """Evidence as people's decisions leave it: the last about each record counts, the rest is kept.

    A decision that a later one contradicts is taken back by it: a deployment that did not fail
    is free of all that was said before, and an incident tied to it afterwards blames it again.
    """
    incidents = {incident.key: incident.id for incident in scene.incidents}
    latest: dict[tuple[int, int], TriageRow] = {}
    for row in sorted(scene.triage, key=when_decided):
        incident = incidents.get(row.record, NONE)
        at = scene.find.by_record.get(row.record, NONE) if incident == NONE else NONE
        latest.pop((incident, at), None)  # so that the last word is acted upon last
        latest[incident, at] = row
    acquitted: set[int] = set()
    failed: dict[int, Micros] = {}
    for (incident, at), decision in latest.items():
        if incident != NONE:
            found = _incident_decided(scene, found, incident, decision)
        elif at != NONE and decision.verdict == Verdict.REJECT:
            acquitted.add(at)
            found = _without_blame(found, at, acquitted)
        elif at != NONE and decision.verdict == Verdict.CONFIRM:
            failed[at] = decision.restored_at
    menders = _menders(scene, [row for (incident, _), row in latest.items() if incident != NONE])
    return [*found, *(_confirmed(found, at, menders, until) for at, until in failed.items())]


def when_decided(row: TriageRow) -> tuple[Micros, str, str, str]:
    """The order of people's decisions; at the same moment an order all the same."""
    return row.at, row.record, row.verdict, row.cause or ""


def _incident_decided(
    scene: Scene, found: list[Evidence], incident: int, decision: TriageRow
) -> list[Evidence]:
    mine = [e for e in found if e.incident == incident]
    rest = [e for e in found if e.incident != incident]
    overridden = [e._replace(chosen=False) for e in mine]
    if decision.verdict == Verdict.REJECT:
        verdict = Evidence(NONE, incident, "E", "rejected", "a person rejected it", NONE, True)
        return [*rest, *overridden, verdict]
    links = decision.verdict == Verdict.LINK
    blamed = scene.find.cause(decision) if links else None
    if blamed is None and links:
        detail = "a person tied it to what this service did not ship"
        return [*rest, *overridden, Evidence(NONE, incident, "E", "linked", detail, NONE, True)]
    if blamed is None:
        blamed = next((e.deployment for e in mine if e.chosen and e.deployment != NONE), None)
    if blamed is None:
        return found
    confirmed = Evidence(blamed, incident, "A", "triage", "a person confirmed it", NONE, True)
    return [*rest, *overridden, confirmed]


def _confirmed(
    found: list[Evidence], at: int, menders: Iterable[int], restored_at: Micros
) -> Evidence:
    """A person's word that a deployment failed, until a moment if they said so.

    Else it was mended by what still counts against it, or by the first deployment after it that
    mends something.
    """
    if restored_at != MISSING:
        detail = "a person confirmed it, and when it was restored"
        return Evidence(at, NONE, "A", "restored", detail, NONE, True, restored_at)
    restored = (e.restored_by for e in found if e.chosen and e.deployment == at)
    by = min((mender for mender in restored if mender != NONE), default=NONE)
    if by == NONE:
        by = min((mender for mender in menders if mender > at), default=NONE)
    return Evidence(at, NONE, "A", "triage", "a person confirmed it", by, True)


def _menders(scene: Scene, decided: Iterable[TriageRow]) -> set[int]:
    """Rollbacks, hotfixes, and fixes of incidents that nobody rejected or tied to a deployment."""
    elsewhere = {row.record for row in decided if row.verdict != Verdict.CONFIRM}
    known = {incident.key for incident in scene.incidents} - elsewhere
    fixes = {at for key, found in scene.closers.items() if key in known for at in found}
    forward = scene.deployed.are(Kind.FORWARD)
    told = {at for at in scene.hotfixes | fixes if forward[at]}
    return told.union(scene.deployed.of(Kind.ROLLBACK))


def _without_blame(found: list[Evidence], at: int, acquitted: set[int]) -> list[Evidence]:
    """Evidence with none against a deployment; its incidents have the next best, if any.

    `acquitted` are all deployments of which a person has said so.
    """
    orphans = {e.incident for e in found if e.chosen and e.deployment == at} - {NONE}
    left = [e._replace(chosen=e.chosen and e.deployment != at) for e in found]
    nobody = acquitted | {NONE}
    for incident in orphans:
        others = [e for e in left if e.incident == incident and e.deployment not in nobody]
        if not others:
            detail = "a person rejected it"
            left.append(Evidence(NONE, incident, "E", "rejected", detail, NONE, True))
            continue
        best = min(others, key=lambda e: e.grade)
        left = [e._replace(chosen=e.chosen or e is best) for e in left]
    return left
