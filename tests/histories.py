"""Small made-up histories for hypothesis: what teams do, boiled down to a few days.

A history is a list of steps, each an action, a pause before it and two numbers that say on what.
A world carries the steps out one after another; a step that makes no sense there does nothing,
so that a history shrinks step by step. Moments are multiples of a minute, and pauses sit on the
edges the rules know, so ties and "exactly 60 minutes" are common.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Deployment,
    Incident,
    Repository,
    Status,
    Triage,
    Verdict,
)
from vpemetrics.rules import LeadTimeStart, Rules, Service

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAUSES = (0, 5, 20, 60, 61, 240, 241, 1440, 7 * 1440)
LAGS = (0, 60, -4, -5, -6, -90)
REGIONS = ("production", "prod-us")
AUTHORS = {9: "dependabot[bot]", 11: None}
KINDS = {8: AuthorKind.AGENT, 9: AuthorKind.AUTOMATION, 11: None}
SHARED = 8
FOLDERS = ("shop/cart.py", "till/pay.py", "docs/index.md")

Step = tuple[str, int, int, int]


@dataclass(frozen=True, kw_only=True)
class History:
    """Records that fit together, in the order they happened, and the rules to read them by."""

    records: tuple[AnyRecord, ...]
    rules: Rules


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What does not change during a history."""

    services: int = 1
    repositories: int = 1
    paths: bool = False
    graph: bool = True
    fork: bool = False
    """Whether each repository has the first commits of the other too, as forks have."""
    start: LeadTimeStart = LeadTimeStart.FIRST_COMMIT


@dataclass
class Branch:
    """A line of work; `base` is what it will be merged into."""

    repository: str
    name: str
    head: str
    base: "Branch | None" = None
    merged: bool = False


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any history of 1 to 3 services in 1 or 2 repositories."""
    shape = draw(_SHAPES)
    world = World(shape)
    world.live(draw(_STEPS))
    return History(records=tuple(world.records()), rules=world.rules())


class World:
    """Repositories, branches and production, as the steps so far have left them."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.now = BEGIN
        self.commits: dict[str, Commit] = {}
        self.changes: list[Change] = []
        self.deployments: list[Deployment] = []
        self.incidents: list[Incident] = []
        self.triage: list[Triage] = []
        self.branches: list[Branch] = []
        for number in range(shape.repositories):
            root = self._commit(f"acme/{'ab'[number]}", ())
            self.branches.append(Branch(f"acme/{'ab'[number]}", "main", root))

    def live(self, steps: Iterable[Step]) -> None:
        """Carry out the steps."""
        for action, pause, one, other in steps:
            self.now += timedelta(minutes=pause)
            ACTIONS[action](self, one, other)

    def records(self) -> list[AnyRecord]:
        """Everything that happened, as a source with or without the commit graph tells it."""
        repositories = [
            Repository(id=branch.repository, name=branch.repository, default_branch="main")
            for branch in self._mains()
        ]
        commits = list(self._told_commits()) if self.shape.graph else []
        return [
            *repositories,
            *commits,
            *self.changes,
            *self._proposed(),
            *self.deployments,
            *self.incidents,
            *self.triage,
        ]

    def _told_commits(self) -> Iterable[Commit]:
        repositories = [main.repository for main in self._mains()]
        for number, commit in enumerate(self.commits.values()):
            shared = self.shape.fork and number < SHARED
            for name in repositories if shared else [commit.repository]:
                yield replace(commit, repository=name)

    def rules(self) -> Rules:
        """A configuration that knows the services."""
        services = [
            Service(
                name=f"service-{number}",
                repository=self._repository_of(number),
                sources=(f"source-{number}",),
                paths=(f"{FOLDERS[number % 2].split('/')[0]}/",) if self.shape.paths else (),
            )
            for number in range(self.shape.services)
        ]
        return Rules(services=tuple(services), lead_time_start=self.shape.start)

    # Work

    def commit(self, one: int, other: int) -> None:
        """Somebody, sometimes a bot, commits to a branch."""
        branch = self._branch(one)
        branch.head = self._commit(branch.repository, (branch.head,), other)

    def branch(self, one: int, other: int) -> None:
        """A branch with a first commit, off main or another branch."""
        self._start(self._branch(one), ("feature", "feature", "hotfix", "release")[other % 4], one)

    def sync(self, one: int, other: int) -> None:
        """A branch takes in what its base holds by now."""
        branch = self._branch(one)
        if branch.base is not None and branch.base.head not in self._reach(branch.head):
            branch.head = self._commit(branch.repository, (branch.head, branch.base.head), other)

    def adopt(self, one: int, other: int) -> None:
        """Another repository's history is merged, on main, a branch, or by a pull request."""
        head = self._commit(self._branch(one).repository, (), other)
        for _ in range(one % 3):
            head = self._commit(self._branch(one).repository, (head,), other)
        branch = self._branch(one)
        if other % 3 == 2:
            branch = self._start(self._mains()[one % self.shape.repositories], "feature", one)
        branch.head = self._commit(branch.repository, (branch.head, head), other)

    def merge(self, one: int, other: int) -> None:
        """A pull request is merged, squashed or rebased."""
        waiting = [b for b in reversed(self.branches) if b.base is not None and not b.merged]
        if waiting:
            self._merge(waiting[one % len(waiting)], other)

    def reopen(self, one: int, other: int) -> None:
        """Work goes on in a branch that was merged, with or without something new."""
        done = [branch for branch in self.branches if branch.merged]
        if done:
            branch = done[one % len(done)]
            branch.merged = False
            if other % 2:
                branch.head = self._commit(branch.repository, (branch.head,), other)

    def pull_request(self, one: int, other: int) -> None:
        """A branch off main with one commit, merged at once."""
        main = self._mains()[one % self.shape.repositories]
        there = [change.id for change in self.changes if change.repository == main.repository]
        brought = (there[other % len(there)],) if there and one % 5 == 4 else ()
        started = self._start(main, "hotfix" if one == 9 else "feature", one)
        self._merge(started, other, backports=brought)

    def pick(self, one: int, other: int) -> None:
        """A commit is picked onto a branch that lacks it."""
        branch = self._branch(other)
        lacking = self._plain(branch.repository, without=self._reach(branch.head))
        if lacking:
            source = lacking[one % len(lacking)]
            branch.head = self._copy(source, branch.head, picked_from_sha=source.sha)

    def revert(self, one: int, other: int) -> None:
        """A commit is reverted, on main or by a pull request of its own."""
        main = self._mains()[one % self.shape.repositories]
        there = sorted(sha for sha in self._reach(main.head) if self.commits[sha].parents)
        if not there:
            return
        target = there[-1 - one % len(there)]
        if other % 3 == 1:
            main.head = self._commit(main.repository, (main.head,), reverts_sha=(target,))
        elif other % 3 == 2:
            branch = self._start(main, "feature" if other % 2 else "hotfix", one, (target,))
            self._merge(branch, other // 2)
        elif self.changes:
            named = self.changes[-1 - one % len(self.changes)].id
            self._merge(self._start(main, "feature", one), other // 3, reverts=(named,))

    # Production

    def deploy(self, one: int, other: int) -> None:
        """A service is deployed from main, a branch, or nobody knows what."""
        number = one % self.shape.services
        lines = [b for b in self.branches if b.repository == self._repository_of(number)]
        sha: str | None = lines[0].head
        if other % 4 == 3:
            sha = lines[(one // 3) % len(lines)].head
        if other == 10:
            sha = None
        if other == 11:
            sha = f"{0xDEAD:07x}".ljust(40, "d")
        self._deploy(number, sha, self._status(other), REGIONS[other % 7 == 6], other)

    def trial(self, one: int, other: int) -> None:
        """A branch goes to production before it is merged."""
        number = one % self.shape.services
        branch = self._start(self._main_of(number), "feature", other)
        self._deploy(number, branch.head, Status.SUCCEEDED, REGIONS[0], other)

    def again(self, one: int, other: int) -> None:
        """Something deployed before comes again: a region, a repeat, a rollback, a late build."""
        if self.deployments:
            row = self.deployments[-1 - one % len(self.deployments)]
            number = int((row.service or "0")[-1])
            region = (row.environment, REGIONS[1], REGIONS[0])[other % 3]
            self._deploy(number, row.commit_sha, Status.SUCCEEDED, region, other, row.version)

    def late(self, one: int, other: int) -> None:
        """An older commit of main, perhaps never live, reaches production."""
        number = one % self.shape.services
        older = sorted(self._reach(self._main_of(number).head))
        self._deploy(number, older[-1 - other % len(older)], Status.SUCCEEDED, REGIONS[0], one)

    def attempt(self, one: int, other: int) -> None:
        """A run that does not end well, or not yet, or not in production."""
        statuses = (Status.ROLLED_BACK, Status.FAILED, Status.CANCELLED, Status.IN_PROGRESS)
        number = one % self.shape.services
        region = "staging" if other == 11 else REGIONS[other % 5 == 4]
        self._deploy(number, self._main_of(number).head, statuses[other % 4], region, other)

    # Trouble

    def incident(self, one: int, other: int) -> None:
        """Something breaks, with or without a known cause, and may still be broken."""
        number = len(self.incidents) + 1
        named = [f"source-{n}" for n in range(self.shape.services) if (one >> n) % 2 == 0]
        mended = None if other % 5 == 4 else self.now + timedelta(minutes=PAUSES[other % 5])
        self.incidents.append(
            Incident(
                id=f"INC-{number}",
                service=tuple(named),
                severity=1 + other % 3,
                detected_at=self.now if one != 7 else None,
                impact_started_at=self.now - timedelta(minutes=10) if other % 3 == 2 else None,
                mitigated_at=mended if other % 2 else None,
                resolved_at=mended,
                updated_at=self.now,
                external=True if one % 6 == 5 else None,
                cause_deployment=self._some(self.deployments, other // 2) if one == 6 else None,
                cause_sha=self._cause_sha(other) if one == 8 else None,
                cause_change=self._some(self.changes, other) if one == 10 else None,
            )
        )

    def fix(self, one: int, other: int) -> None:
        """A pull request that closes an incident is merged."""
        if self.incidents:
            closes = (self.incidents[one % len(self.incidents)].id,)
            branch = self._start(self._mains()[one % self.shape.repositories], "feature", one)
            self._merge(branch, other, closes=closes)

    def judge(self, one: int, other: int) -> None:
        """A person decides about an incident or a deployment."""
        rows = [*self.incidents, *self.deployments]
        if not rows:
            return
        verdict = (Verdict.CONFIRM, Verdict.REJECT, Verdict.LINK)[other % 3]
        record = rows[one % len(rows)]
        cause = self._linked(one, other // 3) if verdict is Verdict.LINK else None
        if verdict is Verdict.LINK and (isinstance(record, Deployment) or cause is None):
            return
        row = Triage(record=record.id, verdict=verdict, when=self.now, cause=cause)
        self.triage = [*(it for it in self.triage if it.key != row.key), row]

    # How it is done

    def _proposed(self) -> list[Change]:
        """Every other branch that is not merged is an open pull request."""
        return [
            Change(
                id=f"{branch.repository}!{number}",
                repository=branch.repository,
                commit_shas=tuple(sorted(self._reach(branch.head) - self._reach(base.head))),
                base_branch=base.name,
                head_branch=branch.name,
            )
            for number, branch in enumerate(self.branches)
            if number % 2 and (base := branch.base) is not None and not branch.merged
        ]

    def _mains(self) -> list[Branch]:
        return self.branches[: self.shape.repositories]

    def _branch(self, number: int) -> Branch:
        open_ones = [branch for branch in self.branches if not branch.merged]
        return open_ones[number % len(open_ones)]

    def _repository_of(self, service: int) -> str:
        return self._main_of(service).repository

    def _main_of(self, service: int) -> Branch:
        return self.branches[service % self.shape.repositories]

    def _commit(
        self,
        repository: str,
        parents: tuple[str, ...],
        flavour: int = 0,
        reverts_sha: tuple[str, ...] = (),
    ) -> str:
        number = len(self.commits)
        lag = timedelta(minutes=LAGS[flavour % len(LAGS)])
        commit = Commit(
            sha=f"{number + 1:07x}".ljust(40, "0"),
            repository=repository,
            parents=parents,
            # No two commits but a copy and its original share a moment, as in real life.
            authored_at=self.now - lag + timedelta(microseconds=number) if flavour != 7 else None,
            committed_at=self.now,
            author=f"person-{number % 4}",
            author_kind=AuthorKind.AUTOMATION if flavour == 11 else AuthorKind.PERSON,
            reverts_sha=reverts_sha,
            paths=(FOLDERS[flavour % 3],) if self.shape.paths and flavour != 8 else None,
        )
        self.commits[commit.sha] = commit
        return commit.sha

    def _copy(self, source: Commit, onto: str, picked_from_sha: str | None = None) -> str:
        sha = f"{len(self.commits) + 1:07x}".ljust(40, "0")
        self.commits[sha] = replace(
            source,
            sha=sha,
            parents=(onto,),
            committed_at=self.now,
            picked_from_sha=picked_from_sha or source.picked_from_sha,
        )
        return sha

    def _start(
        self, base: Branch, kind: str, flavour: int, reverts_sha: tuple[str, ...] = ()
    ) -> Branch:
        head = self._commit(base.repository, (base.head,), flavour, reverts_sha)
        branch = Branch(base.repository, f"{kind}/{len(self.branches)}", head, base)
        self.branches.append(branch)
        return branch

    def _merge(
        self,
        branch: Branch,
        flavour: int,
        closes: tuple[str, ...] = (),
        reverts: tuple[str, ...] = (),
        backports: tuple[str, ...] = (),
    ) -> None:
        target = branch.base
        while target is not None and target.merged:
            target = target.base
        assert target is not None
        listed = sorted(self._reach(branch.head) - self._reach(target.head))
        if not listed:
            return
        method = ("merge", "squash", "rebase", "squash")[flavour % 4]
        target.head = self._land(branch, target, listed, method)
        branch.merged = True
        authored = [self.commits[sha].authored_at for sha in listed]
        known = method == "merge" or flavour % 4 != 3
        self.changes.append(
            Change(
                id=f"{branch.repository}#{len(self.changes) + 1}",
                repository=branch.repository,
                author=AUTHORS.get(flavour, f"person-{flavour % 3}"),
                author_kind=KINDS.get(flavour, AuthorKind.PERSON),
                ready_at=self.now - timedelta(hours=flavour) if flavour % 3 else None,
                first_review_at=self.now - timedelta(hours=1) if flavour % 2 else None,
                merged_at=self.now,
                merge_commit_sha=target.head,
                commit_shas=tuple(listed) if known else (),
                first_commit_at=min(filter(None, authored), default=None) if known else None,
                base_branch=target.name,
                head_branch=branch.name,
                additions=flavour,
                deletions=1 if flavour % 4 else None,
                labels=("incident",) if flavour == 10 else (),
                reverts=reverts,
                backports=backports,
                closes=closes,
            )
        )

    def _land(self, branch: Branch, target: Branch, listed: list[str], method: str) -> str:
        first = self.commits[listed[0]]
        if method == "merge":
            return self._commit(branch.repository, (target.head, branch.head), 2)
        plain = [self.commits[sha] for sha in listed if len(self.commits[sha].parents) < 2]
        if method == "rebase" and plain:
            head = target.head
            for commit in plain:
                head = self._copy(commit, head)
            return head
        sha = self._commit(branch.repository, (target.head,), 0, first.reverts_sha)
        touched = [path for key in listed for path in self.commits[key].paths or ()]
        paths = tuple(sorted(set(touched))) if self.shape.paths else None
        self.commits[sha] = replace(self.commits[sha], paths=paths)
        return sha

    def _deploy(
        self,
        service: int,
        sha: str | None,
        status: Status,
        environment: str,
        flavour: int,
        version: str | None = None,
    ) -> None:
        number = len(self.deployments) + 1
        took = (None, 5, 0, 20)[flavour % 4]
        untold = flavour in (1, 4) and status is not Status.FAILED
        running = status is Status.IN_PROGRESS
        self.deployments.append(
            Deployment(
                id=f"d{number}",
                service=f"source-{service}",
                repository=self._repository_of(service),
                environment=environment,
                status=status,
                commit_sha=sha,
                version=version or self._version(number, flavour, sha),
                started_at=None if took is None else self.now - timedelta(minutes=took),
                finished_at=None if running or untold else self.now,
                planned=False if flavour == 5 else None,
                hotfix=True if flavour == 8 else None,
                rollback=True if flavour in (7, 9) else None,
                light_tag=(None, True, False)[number % 3] if sha else None,
                release_commit=number % 3 > 0 and number % 5 == 1 if sha else None,
            )
        )

    def _version(self, number: int, flavour: int, sha: str | None) -> str | None:
        """Versions go up and down; most of what has a commit has none."""
        if sha is None:
            return f"v1.{number * 7 % 11}"
        return f"v1.{number * 5 % 11}" if flavour in (2, 7) else None

    def _status(self, flavour: int) -> Status:
        return Status.ROLLED_BACK if flavour == 9 else Status.SUCCEEDED

    def _plain(self, repository: str, without: set[str]) -> list[Commit]:
        return [
            commit
            for sha, commit in self.commits.items()
            if commit.repository == repository and sha not in without and len(commit.parents) == 1
        ]

    def _reach(self, sha: str) -> set[str]:
        seen: set[str] = set()
        todo = [sha]
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += self.commits[at].parents
        return seen

    def _some(self, rows: list[Deployment] | list[Change], number: int) -> str | None:
        return rows[number % len(rows)].id if rows else None

    def _linked(self, one: int, other: int) -> str | None:
        """A deployment, pull request or commit that a person may hold to be a cause."""
        if one % 3 == 1:
            return self._cause_sha(other)
        return self._some(self.changes if one % 3 else self.deployments, other)

    def _cause_sha(self, number: int) -> str:
        shas = list(self.commits)
        return "f00d" * 10 if number == 11 else shas[number % len(shas)][: 7 + number]


ACTIONS: dict[str, Callable[[World, int, int], None]] = {
    "commit": World.commit,
    "deploy": World.deploy,
    "pull_request": World.pull_request,
    "branch": World.branch,
    "merge": World.merge,
    "again": World.again,
    "late": World.late,
    "incident": World.incident,
    "attempt": World.attempt,
    "trial": World.trial,
    "revert": World.revert,
    "fix": World.fix,
    "pick": World.pick,
    "sync": World.sync,
    "reopen": World.reopen,
    "judge": World.judge,
    "adopt": World.adopt,
}

_SHAPES = st.builds(
    Shape,
    services=st.integers(1, 3),
    repositories=st.integers(1, 2),
    paths=st.booleans(),
    graph=st.sampled_from((True, True, True, False)),
    fork=st.sampled_from((False, False, True)),
    start=st.sampled_from(tuple(LeadTimeStart)),
)
_OFTEN = ("pull_request", "deploy", "commit", "deploy", "again", "deploy", "merge", "pull_request")
_TROUBLE = ("deploy", "incident", "judge", "fix", "judge", "revert", "again", "judge", "late")


def _step(actions: Sequence[str]) -> st.SearchStrategy[Step]:
    numbers = st.integers(0, 11)
    return st.tuples(st.sampled_from(actions), st.sampled_from(PAUSES), numbers, numbers)


_STEP = _step((*_OFTEN, *ACTIONS))
# Lists drawn by one bound alone are mostly short; trouble needs something to have happened.
_STEPS = st.one_of(
    st.lists(_STEP, max_size=8),
    st.lists(_STEP, min_size=8, max_size=40),
    st.lists(_STEP, min_size=16, max_size=40),
    st.lists(_step(_TROUBLE), min_size=8, max_size=40),
)
