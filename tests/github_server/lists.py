"""The lists that GraphQL pages through: what belongs to them, in which order, and how many at most.

Each takes the object that has the list and the arguments of GitHub's schema.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, Final

from github_server.paging import Connection, Place, counted, ordered
from github_server.things import (
    BORN,
    Account,
    Commit,
    Deployment,
    Event,
    Issue,
    Pull,
    Ref,
    Review,
    Signature,
    node_id,
)
from github_server.walks import touching
from github_server.world import Repo

MOST_COMMITS: Final = 250
"""GitHub shows no more commits of a pull request."""

Arguments = Mapping[str, Any]


@dataclass(kw_only=True, eq=False, slots=True)
class PullCommit:
    """A commit as part of a pull request."""

    TYPENAME: ClassVar = "PullRequestCommit"
    INTERFACES: ClassVar = frozenset({"Node", "PullRequestTimelineItems"})
    pull: Pull = field(repr=False)
    commit: Commit

    @property
    def id(self) -> str:
        """The node id."""
        return node_id("PRC", self.pull.repo.database_id, f"{self.pull.number}:{self.commit.oid}")


def repositories(account: Account, arguments: Arguments) -> Connection:
    """An account's repositories, by when they were made if nothing else is asked for."""
    found = [
        repo
        for repo in account.world.owned_by(account)
        if arguments.get("isFork") in (None, repo.fork)
        and arguments.get("isArchived") in (None, repo.archived)
        and arguments.get("privacy") in (None, "PRIVATE" if repo.private else "PUBLIC")
    ]
    by, descending = _order(arguments, "CREATED_AT")
    return ordered("Repository", found, arguments, _PLACES[by], descending=descending)


def pulls(repo: Repo, arguments: Arguments) -> Connection:
    """Pull requests, by number if nothing else is asked for."""
    found: Iterable[Pull] = repo.pulls.values()
    if states := arguments.get("states"):
        found = [one for one in found if pull_state(one) in states]
    if labels := arguments.get("labels"):
        found = [one for one in found if _labelled(one, labels)]
    for name, of in (("baseRefName", "base"), ("headRefName", "head")):
        if wanted := arguments.get(name):
            found = [one for one in found if getattr(one, of) == wanted]
    by, descending = _order(arguments, "CREATED_AT")
    return ordered("PullRequest", found, arguments, _PLACES[by], descending=descending)


def issues(repo: Repo, arguments: Arguments) -> Connection:
    """Issues, without pull requests; a label is enough of `labels`, all of `filterBy`'s count."""
    filters = arguments.get("filterBy") or {}
    since, kind = filters.get("since"), filters.get("type")
    found = (
        issue
        for issue in repo.issues.values()
        if _among(arguments.get("states") or filters.get("states"), issue_state(issue))
        and _labelled(issue, arguments.get("labels"))
        and all(_labelled(issue, [label]) for label in filters.get("labels") or ())
        and (since is None or issue.updated_at >= datetime.fromisoformat(since))
        and (kind is None or (issue.type or "").lower() == kind.lower())
    )
    by, descending = _order(arguments, "CREATED_AT")
    return ordered("Issue", found, arguments, _PLACES[by], descending=descending)


def deployments(repo: Repo, arguments: Arguments) -> Connection:
    """Deployments by when they began."""
    wanted, every = arguments.get("environments"), repo.deployments.values()
    found = [one for one in every if one.environment in wanted] if wanted else every
    _, descending = _order(arguments, "CREATED_AT")
    return ordered("Deployment", found, arguments, _CREATED, descending=descending)


def deployments_of(commit: Commit, arguments: Arguments) -> Connection:
    """The deployments of one commit."""
    wanted = arguments.get("environments")
    found = (
        one
        for one in commit.repo.deployments.values()
        if one.commit == commit.oid and _among(wanted, one.environment)
    )
    _, descending = _order(arguments, "CREATED_AT")
    return ordered("Deployment", found, arguments, _CREATED, descending=descending)


def statuses(deployment: Deployment, arguments: Arguments) -> Connection:
    """What was said of a deployment, the last first."""
    return ordered("DeploymentStatus", deployment.statuses, arguments, _CREATED, descending=True)


def environments(repo: Repo, arguments: Arguments) -> Connection:
    """Environments by name."""
    names = arguments.get("names")
    found = (one for one in repo.environments.values() if not names or one.name in names)
    _, descending = _order(arguments, "NAME")
    return ordered("Environment", found, arguments, _NAMED, descending=descending)


def releases(repo: Repo, arguments: Arguments) -> Connection:
    """Releases, the latest made first if nothing else is asked for; by the tagged commit's time."""
    by, descending = _order(arguments, "CREATED_AT", otherwise="DESC")
    found = repo.releases.values()
    return ordered("Release", found, arguments, _PLACES[by], descending=descending)


def refs(repo: Repo, arguments: Arguments) -> Connection | None:
    """Branches or tags: by name, or by the date of the commit they stand for."""
    prefix, query = arguments["refPrefix"], (arguments.get("query") or "").lower()
    named = {"refs/heads/": repo.branches, "refs/tags/": repo.tags}.get(prefix)
    if named is None:
        return None
    found = (
        Ref(name=name, prefix=prefix, repo=repo, target=oid)
        for name, oid in named.items()
        if query in name.lower()
    )
    by, descending = _order(arguments, "ALPHABETICAL")
    if arguments.get("direction") and not arguments.get("orderBy"):
        descending = arguments["direction"] == "DESC"
    return ordered("Ref", found, arguments, _PLACES[by], descending=descending)


def labels(owner: Repo | Pull | Issue, arguments: Arguments) -> Connection:
    """Labels by when they were made, or by name."""
    found = list(owner.labels.values()) if isinstance(owner, Repo) else owner.labels
    by, descending = _order(arguments, "CREATED_AT")
    return ordered("Label", found, arguments, _PLACES[by], descending=descending)


def history(commit: Commit, arguments: Arguments) -> Connection:
    """A commit and what it reaches, the latest committed first; the cursors count from it."""
    found = commit.repo.walks.behind(commit.oid, commit.repo.commits)
    if since := arguments.get("since"):
        first = datetime.fromisoformat(since)
        found = [one for one in found if one.committer.date >= first]
    if until := arguments.get("until"):
        last = datetime.fromisoformat(until)
        found = [one for one in found if one.committer.date <= last]
    if path := arguments.get("path"):
        found = touching(found, path)
    return counted("CommitHistory", found, arguments, prefix=f"{commit.oid} ")


def parents(commit: Commit, arguments: Arguments) -> Connection:
    """A commit's parents, the line it continues first."""
    known = commit.repo.commits
    found = [known[oid] for oid in commit.parents if oid in known]
    return counted("Commit", found, arguments)


def authors(commit: Commit, arguments: Arguments) -> Connection:
    """Who wrote a commit: its author, then whom its trailers name."""
    found: list[Signature] = [commit.author, *commit.coauthors]
    return counted("GitActor", found, arguments)


def pulls_of(commit: Commit, arguments: Arguments) -> Connection:
    """The pull requests that merged a commit or consist of it."""
    found = (
        pull
        for pull in commit.repo.pulls.values()
        if pull.merge_commit == commit.oid or commit.oid in pull.commits
    )
    by, descending = _order(arguments, "CREATED_AT")
    return ordered("PullRequest", found, arguments, _PLACES[by], descending=descending)


def pull_commits(pull: Pull, arguments: Arguments) -> Connection:
    """A pull request's commits, oldest first; all are counted and 250 shown at most."""
    shown = pull.commits[:MOST_COMMITS]
    return counted(
        "PullRequestCommit",
        shown,
        arguments,
        total=len(pull.commits),
        make=lambda oid: PullCommit(pull=pull, commit=pull.repo.commits[oid]),
    )


def reviews(pull: Pull, arguments: Arguments) -> Connection:
    """Submitted reviews, oldest first."""
    states, author = arguments.get("states"), arguments.get("author")
    found = [
        one
        for one in pull.reviews
        if one.submitted_at is not None
        and _among(states, one.state)
        and (author is None or (one.author and one.author.login == author))
    ]
    return ordered("PullRequestReview", found, arguments, _SUBMITTED)


def comments(subject: Pull | Issue, arguments: Arguments) -> Connection:
    """The conversation, oldest first."""
    found = [one for one in subject.timeline if one.TYPENAME == "IssueComment"]
    return ordered("IssueComment", found, arguments, _item_place)


def closing(pull: Pull, arguments: Arguments) -> Connection:
    """The issues that a pull request closes."""
    return ordered("Issue", pull.closes, arguments, _CREATED)


def closers(issue: Issue, arguments: Arguments) -> Connection:
    """The pull requests that close an issue; those closed unmerged only on demand."""
    every = arguments.get("includeClosedPrs")
    found = (
        pull
        for pull in issue.repo.pulls.values()
        if issue in pull.closes and (every or pull_state(pull) != "CLOSED")
    )
    return ordered("PullRequest", found, arguments, _CREATED)


def timeline(subject: Pull | Issue, arguments: Arguments) -> Connection:
    """What happened to an issue or pull request, of the kinds asked for, oldest first."""
    of = "PullRequestTimelineItems" if isinstance(subject, Pull) else "IssueTimelineItems"
    wanted, since = arguments.get("itemTypes"), arguments.get("since")
    items = [*subject.timeline, *_committed(subject, wanted)]
    found = [
        item
        for item in items
        if _among(wanted, item_type(item.TYPENAME))
        and (since is None or _happened(item) >= datetime.fromisoformat(since))
        and not (isinstance(item, Review) and item.submitted_at is None)
    ]
    return ordered(of, found, arguments, _item_place)


@lru_cache
def item_type(kind: str) -> str:
    """The word for a type of timeline items in `itemTypes`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).upper()


def pull_state(pull: Pull) -> str:
    """OPEN, CLOSED or MERGED."""
    if pull.merged_at:
        return "MERGED"
    return "CLOSED" if pull.closed_at else "OPEN"


def issue_state(issue: Issue) -> str:
    """OPEN or CLOSED."""
    return "CLOSED" if issue.closed_at else "OPEN"


def _committed(subject: Pull | Issue, wanted: Any) -> list[PullCommit]:
    """A pull request's commits as items of its timeline."""
    if not isinstance(subject, Pull) or not _among(wanted, "PULL_REQUEST_COMMIT"):
        return []
    known = subject.repo.commits
    return [PullCommit(pull=subject, commit=known[oid]) for oid in subject.commits]


def _happened(item: Event | Review | PullCommit) -> datetime:
    if isinstance(item, PullCommit):
        return item.commit.committer.date
    if isinstance(item, Review):
        return item.submitted_at or item.created_at
    return item.created_at


def _item_place(item: Event | Review | PullCommit) -> Place:
    return (_happened(item), 0 if isinstance(item, PullCommit) else item.database_id, item.id)


def _comments_place(one: Pull | Issue) -> Place:
    said = sum(item.TYPENAME == "IssueComment" for item in one.timeline)
    return (said, one.database_id)


def _pushed_place(repo: Repo) -> Place:
    return (repo.pushed_at or BORN, repo.database_id)


def _ref_date(ref: Ref) -> Place:
    """By the commit's date, whenever the tag was made."""
    tag = ref.repo.tag_objects.get(ref.target)
    commit = ref.repo.commits.get(tag.target if tag else ref.target)
    return (commit.committer.date if commit else BORN, ref.name)


_CREATED: Final = attrgetter("created_at", "database_id")
_UPDATED: Final = attrgetter("updated_at", "database_id")
_NAMED: Final = attrgetter("name", "database_id")
_SUBMITTED: Final = attrgetter("submitted_at", "database_id")
_PLACES: Final[Mapping[str, Callable[[Any], Place]]] = {
    "CREATED_AT": _CREATED,
    "UPDATED_AT": _UPDATED,
    "PUSHED_AT": _pushed_place,
    "COMMENTS": _comments_place,
    "NAME": _NAMED,
    "ALPHABETICAL": attrgetter("name", "prefix"),
    "TAG_COMMIT_DATE": _ref_date,
}


def _among(wanted: Any, value: str) -> bool:
    """Whether a value is one of those asked for; nothing asked for is everything."""
    return not wanted or value in wanted


def _labelled(subject: Pull | Issue, names: Any) -> bool:
    if not names:
        return True
    has = {label.name.lower() for label in subject.labels}
    return any(name.lower() in has for name in names)


def _order(arguments: Arguments, by: str, otherwise: str = "ASC") -> tuple[str, bool]:
    """By what to order, and whether the greatest come first."""
    asked = arguments.get("orderBy") or {}
    return asked.get("field", by), asked.get("direction", otherwise) == "DESC"
