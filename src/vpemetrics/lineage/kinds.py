"""From records of runs to deployments, and of what kind they are (METRICS rules 10 to 13)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from vpemetrics.lineage.rows import NONE, Deployed, DeploymentRow, Kind
from vpemetrics.records import Status
from vpemetrics.window import MINUTE, MISSING

TOGETHER: Final = 60 * MINUTE

# The kind of a deployment in several environments is the weightiest of its parts' kinds.
_WEIGHT: Final = (Kind.ROLLBACK, Kind.FORWARD, Kind.REDEPLOY, Kind.STALE, Kind.ROLLOUT)


class Ancestry(Protocol):
    """Answers whether one deployed commit contains another, as far as the history is known."""

    def knows(self, commit: int) -> bool:
        """Whether the commit's place in the history is known."""
        ...

    def contains(self, commit: int, ancestor: int) -> bool:
        """Whether `ancestor` is in the history of `commit`."""
        ...


@dataclass(slots=True)
class Group:
    """Records that are one deployment, in order of finish."""

    parts: list[DeploymentRow] = field(default_factory=list)

    @property
    def last(self) -> DeploymentRow:
        """The record that made the deployment complete."""
        return self.parts[-1]

    @property
    def order(self) -> tuple[int, str]:
        """When it was complete; ties are ordered by id."""
        return self.last.finished_at, self.last.key


def group(rows: Iterable[DeploymentRow]) -> list[Group]:
    """The deployments that production records form, in order of finish (rule 12).

    Repeats in one environment within an hour of the first are dropped, unless something else
    was deployed there between; the same thing in other environments, each within an hour of
    the one before, is the same deployment at the last one's time.
    """
    groups: list[Group] = []
    newest: dict[object, Group] = {}
    for row in _without_repeats(rows):
        what = _identity(row)
        known = newest.get(what)
        if known is not None and _joins(row, known):
            known.parts.append(row)
            continue
        newest[what] = Group([row])
        groups.append(newest[what])
    return sorted(groups, key=lambda g: g.order)


def _identity(row: DeploymentRow) -> object:
    """What was deployed: the commit, else the version, else this very record."""
    what = row.commit if row.commit != NONE else row.version
    return (row.id if what is None else what), row.status


def _without_repeats(rows: Iterable[DeploymentRow]) -> list[DeploymentRow]:
    kept: list[DeploymentRow] = []
    live: dict[str, DeploymentRow] = {}
    for row in sorted(rows, key=lambda r: (r.finished_at, r.key)):
        before = live.get(row.environment)
        if (
            before is not None
            and row.status != Status.ROLLED_BACK  # its rollback lies between the two
            and _identity(before) == _identity(row)
            and row.finished_at - before.finished_at <= TOGETHER
        ):
            continue
        live[row.environment] = row
        kept.append(row)
    return kept


def _joins(row: DeploymentRow, known: Group) -> bool:
    return row.finished_at - known.last.finished_at <= TOGETHER and all(
        part.environment != row.environment for part in known.parts
    )


@dataclass(slots=True)
class _Environment:
    """What is and was live in one environment while deployments are gone through in order."""

    live: int = NONE
    lived: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Judged:
    kind: Kind
    first: bool
    removed: int = NONE


def judge(groups: list[Group], ancestry: Ancestry) -> list[Deployed]:
    """The deployments with their kinds, each part against what was live in its environment."""
    environments: dict[str, _Environment] = defaultdict(_Environment)
    judged: dict[int, list[_Judged]] = defaultdict(list)
    arrived: dict[int, set[int]] = defaultdict(set)
    parts = sorted(
        ((part, at) for at, group in enumerate(groups) for part in group.parts),
        key=lambda pair: (pair[0].finished_at, pair[0].key),
    )
    for part, at in parts:
        environment = environments[part.environment]
        elsewhere = bool(arrived[part.commit] - {at}) if part.commit != NONE else False
        judged[at].append(_judge_part(part, environment, elsewhere, ancestry))
        if part.status == Status.ROLLED_BACK or not ancestry.knows(part.commit):
            continue
        environment.live = part.commit
        environment.lived.add(part.commit)
        arrived[part.commit].add(at)
    return [_deployed(group, judged[at]) for at, group in enumerate(groups)]


def _judge_part(
    part: DeploymentRow, environment: _Environment, elsewhere: bool, ancestry: Ancestry
) -> _Judged:
    commit, before = part.commit, environment.live
    if part.status == Status.ROLLED_BACK or not ancestry.knows(commit):
        return _Judged(Kind.FORWARD, first=before == NONE)
    if before == NONE:
        return _Judged(Kind.FORWARD, first=True)
    if commit == before:
        return _Judged(Kind.REDEPLOY, first=False)
    if commit in environment.lived:
        if ancestry.contains(commit, before):
            return _Judged(Kind.REDEPLOY, first=False)
        return _Judged(Kind.ROLLBACK, first=False, removed=before)
    older = ancestry.contains(before, commit)
    if older and part.rollback:
        return _Judged(Kind.ROLLBACK, first=False, removed=before)
    if elsewhere:
        return _Judged(Kind.ROLLOUT, first=False)
    return _Judged(Kind.STALE if older else Kind.FORWARD, first=False)


def _deployed(group: Group, judged: list[_Judged]) -> Deployed:
    parts, last = group.parts, group.last
    kind = min((j.kind for j in judged), key=_WEIGHT.index)
    starts = [part.started_at for part in parts if part.started_at != MISSING]
    planned = [part.planned for part in parts if part.planned is not None]
    return Deployed(
        id=last.id,
        parts=tuple(part.id for part in parts),
        keys=tuple(part.key for part in parts),
        kind=kind,
        started_at=min(starts) if starts else MISSING,
        finished_at=last.finished_at,
        commit=last.commit,
        environments=frozenset(part.environment for part in parts),
        rolled_back=last.status == Status.ROLLED_BACK,
        first=all(j.first for j in judged),
        removed=next((j.removed for j in judged if j.kind == kind), NONE),
        planned=all(planned) if planned else None,
        hotfix=any(part.hotfix for part in parts),
    )
