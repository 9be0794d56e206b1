"""The lists that a repository is collected by, and whether anything in them is new."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vpemetrics.collectors.github import queries, runs
from vpemetrics.collectors.github.paging import FULL, Listing
from vpemetrics.collectors.github.parse.naming import Node, instant
from vpemetrics.collectors.github.place import Place
from vpemetrics.collectors.github.position import OVERLAP, Position, Stretch

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


def wanted(place: Place) -> list[str]:
    """The names of the lists that are wanted of a repository, in the order they are read."""
    lists = [PULLS] if place.is_code else []
    lists += [name for name in (DEPLOYMENTS, RELEASES, TAGS) if place.rules_from(RULES[name])]
    if place.has_incidents:
        incidents = place.options.incidents
        lists += [f"{ISSUES}: {label}" for label in incidents.labels]
        lists += [f"{TYPES}: {type_}" for type_ in incidents.types]
    if place.is_code and (place.options.runs or place.rules_from(RULES[RUNS])):
        lists.append(RUNS)
    return lists


def base(name: str) -> str:
    """What kind of list one is: that of a label is one of issues."""
    return name.partition(":")[0]


def label_of(name: str) -> str:
    """The label or type whose issues are on a list."""
    return name.partition(": ")[2]


def stretch_of(place: Place, position: Position, name: str) -> Stretch:
    """What was read of a list, with all that is new as a gap."""
    before, settings = position.lists.get(name), settings_of(place, name)
    known = LISTINGS.get(base(name))
    if before is None or before.settings != settings:
        size = known.listing.start if known else runs.MINUTES
        before = Stretch(start=place.begin, end=place.now, settings=settings, size=size)
    return before.opened(place.now, known.overlap if known else OVERLAP)


def is_quiet(place: Place, position: Position, name: str) -> bool:
    """Whether nothing on a list is new, as far as a look at the repository tells."""
    stretch = position.lists.get(name)
    shown, newest = sign(place, name)
    return stretch is not None and stretch.is_quiet(
        shown, instant(newest), settings_of(place, name)
    )


def is_empty(place: Place, name: str) -> bool:
    """Whether a look at a repository shows that there is nothing on a list."""
    return place.seen.total(LISTINGS[base(name)].connection) == 0


def sign(place: Place, name: str) -> tuple[str, str | None]:
    """What a look at a repository shows of a list, and the latest moment on it."""
    if name == RUNS:
        return runs_sign(place), None
    known = LISTINGS[ISSUES if base(name) == TYPES else base(name)]
    return place.seen.sign(known.connection)


def runs_sign(place: Place) -> str:
    """What tells that there may be new runs: something was pushed, or a pull request touched."""
    return json.dumps((place.seen.probe.get("pushedAt"), place.seen.sign("pullRequests")))


def settings_of(place: Place, name: str) -> str:
    """A short text that differs where something else would be told of a list."""
    rules = place.rules_from(RULES.get(name, ""))
    production = sorted({*place.rules.environments, *_own(place)}) if rules else ()
    match base(name):
        case "pull requests":
            more: object = (place.seen.branch if rules else None, bool(place.paths))
        case "runs":
            more = place.options.runs
        case "issues":
            more = place.options.incidents.types
        case _:
            more = None
    return place.settings(name, rules, production, more)


def _own(place: Place) -> set[str]:
    return {pattern for one in place.rules.services for pattern in one.environments}
