"""The making of a repository's changes: by whom, when, and with which commits."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime

from vpemetrics.demo.blueprint import PEOPLE_PER_TEAM, Blueprint
from vpemetrics.demo.dice import Dice
from vpemetrics.demo.hours import MINUTE, moment, wall, working
from vpemetrics.demo.mainline import Joining, Mainline
from vpemetrics.records import AuthorKind, Change, Commit

BOTS = 0.2
UNREVIEWED = 0.15
DRAFTS = 0.3
REBASED = 0.1
DIRECT = 0.03


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """The reason for a change. `reverts` is the work it takes back; all but routine is urgent."""

    branch: str = "work"
    labels: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    reverts: "MergedWork | None" = None


ROUTINE = Purpose()


@dataclass(frozen=True, kw_only=True)
class Times:
    """The moments of a change, as wall-clock seconds; `reviewed` is None without a review."""

    started: int
    created: int
    ready: int
    reviewed: int | None
    merged: int


@dataclass(frozen=True, kw_only=True)
class MergedWork:
    """A change with its commits, in the order of the graph, and the sha that stands for it."""

    change: Change
    sha: str
    commits: tuple[Commit, ...] = field(default=(), repr=False)


class Workshop:
    """Makes the changes of one repository, one after the other."""

    def __init__(
        self, blueprint: Blueprint, repository: str, mainline: Mainline, dice: Dice
    ) -> None:
        self._blueprint = blueprint
        self._repository = repository
        self._mainline = mainline
        self._dice = dice
        self._numbers = 0
        self._commit_rate = -math.log1p(-1 / mean_branch_length(blueprint))

    def merge(
        self, at: int, places: tuple[str, ...], purpose: Purpose = ROUTINE, *, branches: int = 1
    ) -> MergedWork:
        """A change that joins the main branch now; one of several branches by a single merge."""
        change, branch = self._propose(at, places, purpose)
        if branches > 1:
            return self._merge_at_once(change, branch, branches - 1, at)
        joined = tuple(self._mainline.join(branch, self._joining(), at))
        change = replace(change, merge_commit_sha=joined[-1].sha)
        return MergedWork(change=change, sha=joined[-1].sha, commits=(*branch, *joined))

    def _merge_at_once(
        self, change: Change, branch: list[Commit], others: int, at: int
    ) -> MergedWork:
        """A change of a branch and others of a commit each, written beside its first one."""
        first = replace(branch[0], reverts_sha=())
        beside = [[replace(first, sha=self._mainline.new_sha())] for _ in range(others)]
        merge = self._mainline.join_all([branch, *beside], at)
        commits = (*branch, *(commit for other in beside for commit in other))
        shas = tuple(commit.sha for commit in commits)
        change = replace(change, merge_commit_sha=merge.sha, commit_shas=shas)
        return MergedWork(change=change, sha=merge.sha, commits=(*commits, merge))

    def backport(self, work: MergedWork, commit: Commit, base: str, at: int) -> Change:
        """The change by which a copy of work joins another branch now."""
        self._numbers += 1
        proposed = moment(at - 30 * MINUTE)
        return replace(
            work.change,
            id=f"{self._repository}#{self._numbers}",
            number=self._numbers,
            created_at=proposed,
            ready_at=proposed,
            first_review_at=None,
            approved_at=None,
            merged_at=moment(at),
            closed_at=moment(at),
            merge_commit_sha=commit.sha,
            commit_shas=(commit.sha,),
            base_branch=base,
            head_branch=f"backport/{self._numbers}",
            labels=("backport",),
            reverts=(),
            closes=(),
        )

    def abandon(self, at: int, places: tuple[str, ...]) -> Change:
        """A change that is closed now and never merged."""
        change, _ = self._propose(at, places, ROUTINE)
        return replace(change, merged_at=None)

    def leave_open(self, at: int, places: tuple[str, ...], known_until: int) -> Change | None:
        """The record of a change that will be merged later, if it has been proposed already."""
        change, branch = self._propose(at, places, ROUTINE)
        end = moment(known_until)
        if change.created_at is None or change.created_at >= end:
            return None
        return replace(
            change,
            ready_at=_known_before(change.ready_at, end),
            first_review_at=_known_before(change.first_review_at, end),
            approved_at=_known_before(change.approved_at, end),
            merged_at=None,
            closed_at=None,
            commit_shas=tuple(c.sha for c in branch if _known_before(c.authored_at, end)),
        )

    def commit_directly(self, at: int, places: tuple[str, ...]) -> Commit:
        """A commit that belongs to no pull request."""
        commit = self._commit(self._author(places), places, ROUTINE)
        written = replace(commit, authored_at=moment(at))
        return next(self._mainline.join([written], Joining.SQUASH, at))

    def _propose(
        self, at: int, places: tuple[str, ...], purpose: Purpose
    ) -> tuple[Change, list[Commit]]:
        automated = purpose is ROUTINE and self._dice.chance(BOTS)
        author = "updates[bot]" if automated else self._author(places)
        times = self._routine(at) if purpose is ROUTINE else self._urgent(at)
        kind = AuthorKind.AUTOMATION if automated else AuthorKind.PERSON
        commit = replace(self._commit(author, places, purpose), author_kind=kind)
        branch = self._mainline.branch(self._writing(times, automated), commit)
        return self._change(times, branch, purpose), branch

    def _change(self, times: Times, branch: list[Commit], purpose: Purpose) -> Change:
        self._numbers += 1
        lines = self._dice.minutes(1, 1.2)
        return Change(
            id=f"{self._repository}#{self._numbers}",
            repository=self._repository,
            number=self._numbers,
            author=branch[0].author,
            author_kind=branch[0].author_kind,
            created_at=moment(times.created),
            ready_at=moment(times.ready),
            first_commit_at=moment(times.started),
            first_review_at=None if times.reviewed is None else moment(times.reviewed),
            approved_at=None if times.reviewed is None else moment(times.merged),
            merged_at=moment(times.merged),
            closed_at=moment(times.merged),
            commit_shas=tuple(commit.sha for commit in branch),
            base_branch="main",
            head_branch=f"{purpose.branch}/{self._numbers}",
            additions=lines,
            deletions=lines // 3,
            labels=purpose.labels,
            reverts=(purpose.reverts.change.id,) if purpose.reverts else (),
            closes=purpose.closes,
        )

    def _commit(self, author: str, places: tuple[str, ...], purpose: Purpose) -> Commit:
        return Commit(
            sha="",
            repository=self._repository,
            author=author,
            author_kind=AuthorKind.PERSON,
            reverts_sha=(purpose.reverts.sha,) if purpose.reverts else (),
            paths=tuple(f"{place}/main.py" for place in places)
            if self._blueprint.has_paths(self._repository)
            else None,
        )

    def _author(self, places: tuple[str, ...]) -> str:
        service = places[0].removeprefix("services/")
        known = service in self._blueprint.services
        team = self._blueprint.team(service if known else self._blueprint.services[0])
        return f"{team}-{self._dice.randrange(PEOPLE_PER_TEAM) + 1}"

    def _joining(self) -> Joining:
        if self._blueprint.joining:
            return self._blueprint.joining
        if self._dice.chance(REBASED):
            return Joining.REBASE
        return Joining.SQUASH if self._dice.chance(0.5) else Joining.MERGE

    def _routine(self, merged: int) -> Times:
        end, dice = working(merged), self._dice
        if dice.chance(UNREVIEWED):
            reviewed, ready = None, end - dice.minutes(30)
        else:
            reviewed = end - dice.minutes(70, 1.2)
            ready = reviewed - dice.minutes(110, 1.3)
        coding = dice.minutes(self._blueprint.coding, 1.3)
        drafted = ready - (coding // 2 if dice.chance(DRAFTS) else 0)
        return Times(
            started=wall(ready - coding),
            created=wall(drafted),
            ready=wall(ready),
            reviewed=None if reviewed is None else wall(reviewed),
            merged=merged,
        )

    def _urgent(self, merged: int) -> Times:
        reviewed = merged - self._dice.minutes(3, 0.5)
        ready = reviewed - self._dice.minutes(4, 0.5)
        started = ready - self._dice.minutes(12, 0.5)
        return Times(started=started, created=ready, ready=ready, reviewed=reviewed, merged=merged)

    def _writing(self, times: Times, automated: bool) -> list[int]:
        further = 0 if automated else int(self._dice.expovariate(self._commit_rate))
        room = times.ready - times.started
        return sorted(
            times.started + int(room * part)
            for part in [0.0, *(self._dice.random() for _ in range(further))]
        )


def mean_branch_length(blueprint: Blueprint) -> float:
    """The average commits of a change by people, for the blueprint's number of commits.

    A bot's change has one; joining adds one, or as many again when it rebases.
    """
    by_people = (blueprint.commits / blueprint.changes - DIRECT - 2 * BOTS) / (1 - BOTS)
    return (by_people - (1 - REBASED)) / (1 + REBASED)


def _known_before(at: datetime | None, end: datetime) -> datetime | None:
    return at if at is not None and at < end else None
