"""The lists that a repository is collected by, and whether anything in them is new."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vpemetrics.collectors.github import queries, workflow_runs
from vpemetrics.collectors.github.cursor import OVERLAP, GitHubCursor, ListProgress
from vpemetrics.collectors.github.paging import FULL, Listing
from vpemetrics.collectors.github.parse.naming import Node, instant
from vpemetrics.collectors.github.repository import RepositoryTarget

PULLS: Final = "pull requests"
DEPLOYMENTS: Final = "deployments"
RELEASES: Final = "releases"
TAGS: Final = "tags"
ISSUES: Final = "issues"
TYPES: Final = "issues of type"
RUNS: Final = "runs"

RULES: Final = {
    DEPLOYMENTS: "environments",
    RELEASES: "releases",
    TAGS: "tags",
    PULLS: "merges",
    RUNS: "workflow",
}
"""Which deployments come from which list, in the words of the settings."""


@dataclass(frozen=True, kw_only=True)
class List:
    """A list of GitHub's, what is on it, and where a look at the repository shows its newest.

    `overlap` is how far behind what was read something new may turn up.
    """

    listing: Listing
    kind: str
    connection: str
    overlap: timedelta = OVERLAP


def _created_at(node: Node) -> datetime | None:
    return instant(node.get("createdAt"))


def _committed_at(tag: Node) -> datetime | None:
    target: Node = tag.get("target") or {}
    commit: Node = target.get("target") or target
    return instant(commit.get("committedDate"))


def _updated_at(node: Node) -> datetime | None:
    return instant(node.get("updatedAt"))


def _in_repository(
    query: str,
    connection: str,
    moment: Callable[[Node], datetime | None] = _updated_at,
    *,
    start: int = FULL,
    largest: int = FULL,
    whole: bool = False,
) -> Listing:
    # What has things within it is asked for again by its id where some are missing.
    return Listing(
        query=query,
        path=("node", connection),
        moment=moment,
        start=start,
        largest=largest,
        whole=whole,
    )


# Releases and tags are ordered by their commits, which may be old ones.
_LATE: Final = timedelta(days=90)

# The most for which a query still costs one point, and a bit less: 70 pull requests with two lists
# each are 141 connections, 45 issues with three are 136.
_PULLS: Final = 70
_ISSUES: Final = 45

LISTINGS: Final = {
    PULLS: List(
        listing=_in_repository(queries.PULLS, "pullRequests", start=50, largest=_PULLS),
        kind="PullRequest",
        connection="pullRequests",
    ),
    DEPLOYMENTS: List(
        listing=_in_repository(queries.DEPLOYMENTS, "deployments", _created_at),
        kind="Deployment",
        connection="deployments",
    ),
    RELEASES: List(
        listing=_in_repository(queries.RELEASES, "releases", _created_at, whole=True),
        kind="Release",
        connection="releases",
        overlap=_LATE,
    ),
    TAGS: List(
        listing=_in_repository(queries.TAGS, "refs", _committed_at, whole=True),
        kind="Tag",
        connection="refs",
        overlap=_LATE,
    ),
    ISSUES: List(
        listing=_in_repository(queries.ISSUES, "issues", start=_ISSUES, largest=_ISSUES),
        kind="Issue",
        connection="issues",
    ),
}


def wanted(target: RepositoryTarget) -> list[str]:
    """The names of the lists that are wanted of a repository, in the order they are read."""
    lists = [PULLS] if target.is_code else []
    lists += [name for name in (DEPLOYMENTS, RELEASES, TAGS) if target.rules_from(RULES[name])]
    if target.has_incidents:
        incidents = target.options.incidents
        lists += [f"{ISSUES}: {label}" for label in incidents.labels]
        lists += [f"{TYPES}: {type_}" for type_ in incidents.types]
    if target.is_code and (target.options.runs or target.rules_from(RULES[RUNS])):
        lists.append(RUNS)
    return lists


def base(name: str) -> str:
    """What kind of list one is: that of a label is one of issues."""
    return name.partition(":")[0]


def label_of(name: str) -> str:
    """The label or type whose issues are on a list."""
    return name.partition(": ")[2]


def progress_of(target: RepositoryTarget, cursor: GitHubCursor, name: str) -> ListProgress:
    """What was read of a list, with all that is new as a gap."""
    before, settings = cursor.lists.get(name), settings_of(target, name)
    known = LISTINGS.get(base(name))
    if before is None or before.settings != settings:
        size = known.listing.start if known else workflow_runs.MINUTES
        before = ListProgress(start=target.begin, end=target.now, settings=settings, size=size)
    return before.opened(target.now, known.overlap if known else OVERLAP)


def is_quiet(target: RepositoryTarget, cursor: GitHubCursor, name: str) -> bool:
    """Whether nothing on a list is new, as far as a look at the repository tells."""
    progress = cursor.lists.get(name)
    shown, newest = sign(target, name)
    return progress is not None and progress.is_quiet(
        shown, instant(newest), settings_of(target, name)
    )


def is_empty(target: RepositoryTarget, name: str) -> bool:
    """Whether a look at a repository shows that there is nothing on a list."""
    return target.probe.total(LISTINGS[base(name)].connection) == 0


def sign(target: RepositoryTarget, name: str) -> tuple[str, str | None]:
    """What a look at a repository shows of a list, and the latest moment on it."""
    if name == RUNS:
        return runs_sign(target), None
    known = LISTINGS[ISSUES if base(name) == TYPES else base(name)]
    return target.probe.sign(known.connection)


def runs_sign(target: RepositoryTarget) -> str:
    """What tells that there may be new runs: something was pushed, or a pull request touched."""
    return json.dumps((target.probe.node.get("pushedAt"), target.probe.sign("pullRequests")))


def settings_of(target: RepositoryTarget, name: str) -> str:
    """A short text that differs where something else would be told of a list."""
    rules = target.rules_from(RULES.get(name, ""))
    production = sorted({*target.rules.environments, *_own(target)}) if rules else ()
    match base(name):
        case "pull requests":
            more: object = (target.probe.branch if rules else None, bool(target.paths))
        case "runs":
            more = target.options.runs
        case "issues":
            more = target.options.incidents.types
        case _:
            more = None
    return target.settings(name, rules, production, more)


def _own(target: RepositoryTarget) -> set[str]:
    return {pattern for one in target.rules.services for pattern in one.environments}
