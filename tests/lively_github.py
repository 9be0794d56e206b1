"""A GitHub on which something new happens whenever it is told to, of everything that is collected.

What happens is drawn from a Random, so that it is the same again for the same one.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

from github_server.things import Account, Deployment, Issue, Kind, Pull, Run
from github_server.world import Repo, World

from vpemetrics.collectors.github.options import Incidents, Rule
from vpemetrics.demo.mainline import Joining

BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
SINCE: Final = BEGIN.date() - timedelta(days=60)
NAMES: Final = ("acme/cart", "acme/search", "acme/shop")

DEPLOYMENTS: Final = (
    Rule(),
    Rule(
        kind="tags",
        repositories=("acme/search*", "beta/search*"),
        environment="shelf",
        service="library",
    ),
    Rule(kind="workflow", workflow="Deploy", job=r"deploy (?P<service>\w+)", environment="live"),
)
INCIDENTS: Final = Incidents(labels=("incident", "outage"))

One = TypeVar("One")


class Lively:
    """A world with three repositories, and what may happen in them."""

    def __init__(self, random: Random, begin: datetime = BEGIN) -> None:
        self.world = World()
        self.random = random
        self.people = [self.world.account(name) for name in ("ada", "bob", "eve", "renovate[bot]")]
        self.world.account("beta", Kind.ORGANIZATION)
        for name in NAMES:
            repo = self.world.repository(name)
            repo.commit("Begin", author=self.people[0], at=begin - timedelta(days=1))

    @property
    def repositories(self) -> list[Repo]:
        """All of them that can be written to."""
        return [one for one in self.world.repositories.values() if not one.archived]

    def live(self, moments: Iterable[datetime], happenings: Sequence["Happening"] = ()) -> None:
        """Something happens at every one of the moments, where it can."""
        for at in moments:
            happening = self.random.choice(happenings or EVERYDAY)
            happening(self, self.random.choice(self.repositories), at)

    def somebody(self) -> Account:
        """An account."""
        return self.random.choice(self.people)

    def one(self, of: Iterable[One]) -> One | None:
        """One of these; None where there are none."""
        found = list(of)
        return self.random.choice(found) if found else None

    def open_pull(self, repo: Repo) -> Pull | None:
        """A pull request that is open."""
        return self.one(pull for pull in repo.pulls.values() if pull.closed_at is None)


Happening = Callable[[Lively, Repo, datetime], object]


def between(start: datetime, end: datetime, count: int) -> list[datetime]:
    """As many moments, evenly apart, whole seconds as GitHub has them."""
    step = (end - start) / (count + 1)
    return [(start + step * number).replace(microsecond=0) for number in range(1, count + 1)]


def commit(life: Lively, repo: Repo, at: datetime) -> None:
    repo.commit("Mend it", author=life.somebody(), at=at)


def revert(life: Lively, repo: Repo, at: datetime) -> None:
    if repo.tip:
        message = f"Revert it\n\nThis reverts commit {repo.tip}."
        repo.commit(message, author=life.somebody(), at=at)


def work(life: Lively, repo: Repo, at: datetime, before: str, size: int) -> list[str]:
    """Commits on a branch of their own."""
    oids: list[str] = []
    for step in range(size):
        made = repo.commit(
            f"Work {step}",
            author=life.somebody(),
            at=at,
            authored_at=at - timedelta(hours=size - step),
            branch=f"work-{at.timestamp():.0f}",
            parents=[oids[-1] if oids else before],
        )
        oids.append(made.oid)
    return oids


def open_pull(life: Lively, repo: Repo, at: datetime, size: int | None = None) -> Pull:
    oids = work(life, repo, at, repo.tip or "", size or life.random.randint(1, 4))
    number = life.random.randint(1, 30)
    return repo.open_pull(
        f"Improve {at:%H:%M}",
        author=life.somebody(),
        commits=oids,
        at=at,
        body=life.random.choice(["", f"Fixes #{number}", f"Reverts #{number}"]),
        draft=life.random.random() < 0.2,
        from_fork=life.random.random() < 0.3,
    )


def push(life: Lively, repo: Repo, at: datetime) -> None:
    if pull := life.open_pull(repo):
        more = work(life, repo, at, pull.head_oid, life.random.randint(1, 2))
        repo.push(pull, [*pull.commits, *more], at=at)


def force_push(life: Lively, repo: Repo, at: datetime) -> None:
    if pull := life.open_pull(repo):
        repo.push(pull, work(life, repo, at, repo.tip or "", 2), at=at)


def review(life: Lively, repo: Repo, at: datetime) -> None:
    if pull := life.open_pull(repo):
        state = life.random.choice(["APPROVED", "COMMENTED", "CHANGES_REQUESTED"])
        repo.review(pull, state, by=life.somebody(), at=at)


def draft_or_ready(life: Lively, repo: Repo, at: datetime) -> None:
    if pull := life.open_pull(repo):
        change = repo.ready if pull.is_draft else repo.to_draft
        change(pull, at=at)


def label_or_not(life: Lively, repo: Repo, at: datetime) -> None:
    pull = life.one(repo.pulls.values())
    if pull and pull.labels:
        repo.unlabel(pull, life.random.choice(pull.labels).name, at=at)
    elif pull:
        repo.label(pull, life.random.choice(["hotfix", "feature"]), at=at)


def merge(life: Lively, repo: Repo, at: datetime) -> None:
    if pull := life.open_pull(repo):
        how = life.random.choice(list(Joining))
        repo.merge(pull, at=at, how=how, by=life.somebody())


def close_or_reopen(life: Lively, repo: Repo, at: datetime) -> None:
    pull = life.one(pull for pull in repo.pulls.values() if not pull.merged_at)
    if pull:
        change: Any = repo.reopen if pull.closed_at else repo.close
        change(pull, at=at)


def deploy(life: Lively, repo: Repo, at: datetime) -> None:
    open_pulls = [pull.head_oid for pull in repo.pulls.values() if pull.closed_at is None]
    oid = life.random.choice([repo.tip or "", repo.tip or "", *open_pulls])
    where = life.random.choice(["production", "production", "staging"])
    made = repo.deploy(oid, where, at=at, by=life.somebody())
    if life.random.random() < 0.5:
        repo.say(made, "SUCCESS", at=at + timedelta(seconds=20))


def go_on_deploying(life: Lively, repo: Repo, at: datetime) -> None:
    going: list[Deployment] = [one for one in repo.deployments.values() if one.state != "ACTIVE"]
    if going:
        state = life.random.choice(["IN_PROGRESS", "SUCCESS", "SUCCESS", "FAILURE"])
        repo.say(life.random.choice(going), state, at=at)


def open_incident(life: Lively, repo: Repo, at: datetime) -> Issue:
    mark = life.random.choice(["incident", "outage"])
    return repo.open_issue("It is down", author=life.somebody(), at=at, labels=[mark, "sev2"])


def find_cause(life: Lively, repo: Repo, at: datetime) -> None:
    if issue := life.one(repo.issues.values()):
        repo.comment(issue, f"root cause: {repo.tip}", at=at)


def close_or_reopen_incident(life: Lively, repo: Repo, at: datetime) -> None:
    if issue := life.one(repo.issues.values()):
        change: Any = repo.reopen if issue.closed_at else repo.close
        change(issue, at=at)


def link(life: Lively, repo: Repo, at: datetime) -> None:
    pull, issue = life.open_pull(repo), life.one(repo.issues.values())
    if pull and issue and issue not in pull.closes:
        repo.connect(pull, issue, at=at)


def start_run(life: Lively, repo: Repo, at: datetime) -> None:
    jobs = {"CI": ["test"], "Deploy": ["build", "deploy eu", "deploy us"]}
    name = life.random.choice(list(jobs))
    run = repo.start_run(name, repo.tip or "", at=at, by=life.somebody(), jobs=jobs[name])
    if life.random.random() < 0.5:
        repo.finish_run(run, "success", at=at + timedelta(seconds=20))


def go_on_running(life: Lively, repo: Repo, at: datetime) -> None:
    run: Run | None = life.one(repo.runs.values())
    if run and run.latest.conclusion:
        repo.run_again(run, at=at, by=life.somebody())
    elif run:
        repo.finish_run(run, life.random.choice(["success", "failure", "cancelled"]), at=at)


def tag(life: Lively, repo: Repo, at: datetime) -> None:
    tagger = life.somebody() if life.random.random() < 0.5 else None
    repo.tag(f"v1.{len(repo.tags)}.0", repo.tip or "", at=at, tagger=tagger)


EVERYDAY: Final[Sequence[Happening]] = (
    commit,
    revert,
    open_pull,
    open_pull,
    open_pull,
    push,
    force_push,
    review,
    review,
    draft_or_ready,
    label_or_not,
    merge,
    merge,
    merge,
    close_or_reopen,
    deploy,
    deploy,
    go_on_deploying,
    go_on_deploying,
    open_incident,
    find_cause,
    close_or_reopen_incident,
    link,
    start_run,
    start_run,
    go_on_running,
    tag,
)
"""What happens where people work, the frequent things more than once."""


def rename(life: Lively, repo: Repo, at: datetime) -> None:
    life.world.rename(repo, f"{repo.owner.login}/{repo.name}-{at:%d}")


def transfer(life: Lively, repo: Repo, at: datetime) -> None:
    owner = "beta" if repo.owner.login == "acme" else "acme"
    life.world.rename(repo, f"{owner}/{repo.name}")


def archive(life: Lively, repo: Repo, at: datetime) -> None:
    if len(life.repositories) > 1:
        repo.archived = True


def force_push_main(life: Lively, repo: Repo, at: datetime) -> None:
    """The default branch loses its last commits for another one."""
    before = repo.commits[repo.tip or ""].parents[:1]
    if before and repo.default_branch:
        made = repo.commit("Another", author=life.somebody(), at=at, parents=before, branch="fix")
        repo.point(repo.default_branch, made.oid, at=at)


def other_default_branch(life: Lively, repo: Repo, at: datetime) -> None:
    tip, repo.default_branch = repo.tip or "", f"trunk-{at:%d%H%M}"
    repo.point(repo.default_branch, tip, at=at)


def unlabel_incident(life: Lively, repo: Repo, at: datetime) -> None:
    """An issue is no incident any more, or is one again."""
    if issue := life.one(repo.issues.values()):
        marks = [label.name for label in issue.labels if label.name in INCIDENTS.labels]
        if marks:
            repo.unlabel(issue, marks[0], at=at)
        else:
            repo.label(issue, "incident", at=at)


RARE: Final[Sequence[Happening]] = (
    rename,
    transfer,
    archive,
    force_push_main,
    force_push_main,
    other_default_branch,
    unlabel_incident,
    unlabel_incident,
)
"""What happens seldom, and is told in part only: see the tests."""
