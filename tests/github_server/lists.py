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
    pull: Pull = field(repr=False)
    commit: Commit

    @property
    def id(self) -> str:
        """The node id."""
        return node_id("PRC", self.pull.repo.database_id, f"{self.pull.number}:{self.commit.oid}")


def repositories(account: Account, arguments: Arguments) -> Connection:
    """An account's repositories, by when they were made if nothing else is asked for."""
    found = account.world.owned_by(account)
    by, descending = _order(arguments, "CREATED_AT")
    return ordered(found, arguments, _PLACES[by], descending=descending)


def pulls(repo: Repo, arguments: Arguments) -> Connection:
    """Pull requests, by number if nothing else is asked for."""
    found: Iterable[Pull] = repo.pulls.values()
    if states := arguments.get("states"):
        found = [one for one in found if pull_state(one) in states]
    if labels := arguments.get("labels"):
        found = [one for one in found if _labelled(one, labels)]
    if head := arguments.get("headRefName"):
        found = [one for one in found if one.head == head]
    by, descending = _order(arguments, "CREATED_AT")
    return ordered(found, arguments, _PLACES[by], descending=descending)


def issues(repo: Repo, arguments: Arguments) -> Connection:
    """Issues, without pull requests; one of the labels is enough."""
    found = [one for one in repo.issues.values() if _labelled(one, arguments.get("labels"))]
    by, descending = _order(arguments, "CREATED_AT")
    return ordered(found, arguments, _PLACES[by], descending=descending)


def deployments(repo: Repo, arguments: Arguments) -> Connection:
    """Deployments by when they began."""
    _, descending = _order(arguments, "CREATED_AT")
    return ordered(repo.deployments.values(), arguments, _CREATED, descending=descending)


def statuses(deployment: Deployment, arguments: Arguments) -> Connection:
    """The statuses of a deployment, the last first."""
    return ordered(deployment.statuses, arguments, _CREATED, descending=True)


def releases(repo: Repo, arguments: Arguments) -> Connection:
    """Releases, the latest made first if nothing else is asked for; by the tagged commit's time."""
    by, descending = _order(arguments, "CREATED_AT", otherwise="DESC")
    found = repo.releases.values()
    return ordered(found, arguments, _PLACES[by], descending=descending)


def refs(repo: Repo, arguments: Arguments) -> Connection | None:
    """Branches or tags: by name, or by the date of the commit they stand for."""
    prefix = arguments["refPrefix"]
    named = {"refs/heads/": repo.branches, "refs/tags/": repo.tags}.get(prefix)
    if named is None:
        return None
    found = (Ref(name=name, prefix=prefix, repo=repo, target=oid) for name, oid in named.items())
    by, descending = _order(arguments, "ALPHABETICAL")
    return ordered(found, arguments, _PLACES[by], descending=descending)


def labels(owner: Repo | Issue, arguments: Arguments) -> Connection:
    """Labels by when they were made, or by name."""
    found = list(owner.labels.values()) if isinstance(owner, Repo) else owner.labels
    by, descending = _order(arguments, "CREATED_AT")
    return ordered(found, arguments, _PLACES[by], descending=descending)


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
    return counted(found, arguments, prefix=f"{commit.oid} ")


def parents(commit: Commit, arguments: Arguments) -> Connection:
    """A commit's parents, the line it continues first."""
    known = commit.repo.commits
    found = [known[oid] for oid in commit.parents if oid in known]
    return counted(found, arguments)


def pull_commits(pull: Pull, arguments: Arguments) -> Connection:
    """A pull request's commits, oldest first; all are counted and 250 shown at most."""
    shown = pull.commits[:MOST_COMMITS]
    return counted(
        shown,
        arguments,
        total=len(pull.commits),
        make=lambda oid: PullCommit(pull=pull, commit=pull.repo.commits[oid]),
    )


def reviews(pull: Pull, arguments: Arguments) -> Connection:
    """Submitted reviews, oldest first."""
    found = [one for one in pull.reviews if one.submitted_at is not None]
    return ordered(found, arguments, _SUBMITTED)


def comments(issue: Issue, arguments: Arguments) -> Connection:
    """The conversation, oldest first."""
    found = [one for one in issue.timeline if one.TYPENAME == "IssueComment"]
    return ordered(found, arguments, _item_place)


def timeline(subject: Pull | Issue, arguments: Arguments) -> Connection:
    """The events of an issue or pull request, of the kinds asked for, oldest first."""
    wanted = arguments.get("itemTypes")
    items = [*subject.timeline, *_committed(subject, wanted)]
    found = [
        item
        for item in items
        if _among(wanted, item_type(item.TYPENAME))
        and not (isinstance(item, Review) and item.submitted_at is None)
    ]
    return ordered(found, arguments, _item_place)


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
    """True for a value that is one of those asked for; nothing asked for is everything."""
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
