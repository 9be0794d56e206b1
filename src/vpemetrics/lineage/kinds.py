"""From records of runs to deployments, and of what kind they are (rules D1 to D5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple, Protocol

from vpemetrics.lineage.rows import NONE, Deployed, DeploymentRow, Kind
from vpemetrics.records import Status
from vpemetrics.window import MINUTE, MISSING, Micros

TOGETHER: Final = 60 * MINUTE

# The kind of a deployment in several environments is the weightiest of its parts' kinds.
_WEIGHT: Final = (Kind.ROLLBACK, Kind.FORWARD, Kind.REDEPLOY, Kind.STALE, Kind.ROLLOUT)


class Ancestry(Protocol):
    """The ancestry of deployed commits: which contains which, as far as the history is known.

    `guessed`: the answers come from the order of deployments, for want of a graph.
    """

    guessed: bool

    def knows(self, commit: int) -> bool:
        """Tell whether the commit's place in the history is known."""
        ...

    def contains(self, commit: int, ancestor: int) -> bool:
        """Tell whether `ancestor` is in the history of `commit`."""
        ...


@dataclass(slots=True)
class Group:
    """Records that are one deployment: the first in each environment, and its repeats there."""

    firsts: dict[str, DeploymentRow] = field(default_factory=dict)
    repeats: list[DeploymentRow] = field(default_factory=list)
    last: DeploymentRow = field(init=False)
    """The record that made the deployment complete."""

    def add(self, row: DeploymentRow) -> None:
        """Take in a record that finished after those that are here."""
        if row.environment in self.firsts:
            self.repeats.append(row)
            return
        self.firsts[row.environment] = self.last = row

    @property
    def records(self) -> list[DeploymentRow]:
        """All of them in order of finish."""
        if not self.repeats:
            return list(self.firsts.values())
        return sorted([*self.firsts.values(), *self.repeats], key=_finish)


_finish = attrgetter("finished_at", "key")
"""The order of records: by finish; ties are ordered by id."""


def group(rows: Iterable[DeploymentRow]) -> list[Group]:
    """The deployments that production records form, in order of finish (rule D3).

    A repeat in one environment within an hour of the first there is the same deployment, unless
    something else was deployed there between; so is the same thing in other environments, each
    within an hour of the one before, at the last one's time.
    """
    groups: list[Group] = []
    newest: dict[object, Group] = {}
    live: dict[str, Group] = {}
    for row in sorted(rows, key=_finish):
        what = _identity(row)
        home = newest.get(what)
        if home is None or not _joins(row, home, live):
            home = newest[what] = Group()
            groups.append(home)
        home.add(row)
        live[row.environment] = home
    return sorted(groups, key=lambda g: _finish(g.last))


def _identity(row: DeploymentRow) -> object:
    """The identity of what was deployed: the commit, else the version, else this very record."""
    if row.commit != NONE:
        return "commit", row.commit, row.status
    if row.version is not None:
        return "version", row.version, row.status
    return "record", row.id, row.status


def _joins(row: DeploymentRow, home: Group, live: Mapping[str, Group]) -> bool:
    first = home.firsts.get(row.environment)
    if first is None:
        return row.finished_at - home.last.finished_at <= TOGETHER
    if row.status == Status.ROLLED_BACK:  # its rollback lies between the two
        return False
    return live[row.environment] is home and row.finished_at - first.finished_at <= TOGETHER


@dataclass(slots=True)
class Environment:
    """The commits that are and were live in one environment, as deployments are gone through.

    `reached` by any deployment, of a known commit or not.
    """

    live: DeploymentRow | None = None
    reached: bool = False
    lived: set[int] = field(default_factory=set)


class JudgedPart(NamedTuple):
    """The kind of one part of a deployment, against the part `before` that was live there.

    `first`: it has no predecessor there, which is a commit that lived; for a part whose own
    commit is unknown or did not live, any arrival before it.
    """

    part: DeploymentRow
    before: DeploymentRow | None
    kind: Kind
    first: bool

    @property
    def removed(self) -> int:
        """The commit a rollback took away."""
        return self.before.commit if self.before and self.kind == Kind.ROLLBACK else NONE


def judge(groups: list[Group], ancestry: Ancestry) -> list[Deployed]:
    """The deployments with their kinds, each the weightiest of its parts'."""
    judged = judge_parts(groups, ancestry)
    return [_deployed(group, parts) for group, parts in zip(groups, judged, strict=True)]


def judge_parts(groups: list[Group], ancestry: Ancestry) -> list[list[JudgedPart]]:
    """For each deployment its parts, each judged against what was live in its environment."""
    environments: dict[str, Environment] = defaultdict(Environment)
    arrived: dict[int, set[int]] = {}
    """The positions of the deployments of each commit that lived."""
    judged: list[list[JudgedPart]] = [[] for _ in groups]
    parts = [(part, at) for at, group in enumerate(groups) for part in group.firsts.values()]
    if len(parts) > len(groups):
        parts.sort(key=lambda pair: _finish(pair[0]))
    for part, at in parts:
        environment, commit = environments[part.environment], part.commit
        here = arrived.setdefault(commit, set())
        elsewhere = commit != NONE and bool(here) and here != {at}
        kind = _kind_of_part(part, environment, elsewhere, ancestry)
        lives = part.status != Status.ROLLED_BACK and ancestry.knows(commit)
        first = environment.live is None and (lives or not environment.reached)
        judged[at].append(JudgedPart(part, environment.live, kind, first))
        environment.reached = True
        if lives:
            environment.live = part
            environment.lived.add(commit)
            here.add(at)
    return judged


def _kind_of_part(
    part: DeploymentRow, environment: Environment, elsewhere: bool, ancestry: Ancestry
) -> Kind:
    commit, live = part.commit, environment.live
    if part.status == Status.ROLLED_BACK or not ancestry.knows(commit) or live is None:
        return Kind.FORWARD
    before = live.commit
    if commit == before:
        return Kind.REDEPLOY
    if commit in environment.lived:
        return Kind.REDEPLOY if ancestry.contains(commit, before) else Kind.ROLLBACK
    older = ancestry.contains(before, commit)
    if part.rollback and (older or ancestry.guessed):
        return Kind.ROLLBACK
    if elsewhere:
        return Kind.ROLLOUT
    return Kind.STALE if older else Kind.FORWARD


@lru_cache
def _alone(environment: str) -> frozenset[str]:
    return frozenset((environment,))


def _deployed(group: Group, judged: list[JudgedPart]) -> Deployed:
    last = group.last
    if len(judged) == 1 and not group.repeats:
        return _deployed_once(last, judged[0])
    records = group.records
    kind = min((j.kind for j in judged), key=_WEIGHT.index)
    planned = [one.planned for one in records if one.planned is not None]
    return Deployed(
        id=last.id,
        parts=tuple([one.id for one in records]),
        keys=tuple([one.key for one in records]),
        kind=kind,
        started_at=_started_at(group),
        finished_at=last.finished_at,
        commit=last.commit,
        environments=frozenset(group.firsts),
        rolled_back=last.status == Status.ROLLED_BACK,
        first=all(j.first for j in judged),
        removed=next((j.removed for j in judged if j.kind == kind), NONE),
        planned=all(planned) if planned else None,
        hotfix=any(one.hotfix for one in records),
    )


def _deployed_once(row: DeploymentRow, judged: JudgedPart) -> Deployed:
    """The same of one record alone, as nearly all are: in a third of the time."""
    return Deployed(
        row.id,
        (row.id,),
        (row.key,),
        judged.kind,
        row.started_at,
        row.finished_at,
        row.commit,
        _alone(row.environment),
        row.status == Status.ROLLED_BACK,
        judged.first,
        judged.removed if judged.kind is Kind.ROLLBACK else NONE,
        row.planned,
        bool(row.hotfix),
    )


def _started_at(group: Group) -> Micros:
    """The start of the first part; one of several that has none counts from its finish."""
    starts = [part.started_at for part in group.firsts.values()]
    if starts == [MISSING]:
        return MISSING
    return min(
        p.finished_at if p.started_at == MISSING else p.started_at for p in group.firsts.values()
    )
