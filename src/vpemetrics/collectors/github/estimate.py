"""What a first collection will cost, before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.asking import Asking
from vpemetrics.collectors.github.paging import FULL, LARGEST
from vpemetrics.collectors.github.parse.naming import Node, instant
from vpemetrics.collectors.github.place import Place
from vpemetrics.collectors.github.problems import Forbidden, Gone, TooHeavy

_AT_ONCE: Final = 20
_SECONDS: Final = 1.5
"""How long GitHub takes for a page, as a rule."""
_RUNS_PER_COMMIT: Final = 2


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Requests and points at most, the requests among them that are REST, and how long it takes.

    Nobody can tell the number of workflow runs before they are listed: twice that of commits is
    supposed.
    """

    repositories: int = 0
    requests: int = 0
    points: int = 0

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(
            repositories=self.repositories + other.repositories,
            requests=self.requests + other.requests,
            points=self.points + other.points,
        )

    @property
    def time(self) -> timedelta:
        """How long it takes one after the other."""
        return timedelta(seconds=self.requests * _SECONDS)


def estimate(asking: Asking, places: Sequence[Place]) -> Estimate:
    """The cost of collecting some repositories of one account for the first time."""
    total = Estimate()
    for at in range(0, len(places), _AT_ONCE):
        total += _some(asking, places[at : at + _AT_ONCE])
    return total


def _some(asking: Asking, places: Sequence[Place]) -> Estimate:
    by_id = {place.seen.id: place for place in places}
    first = places[0]
    variables = {
        "ids": list(by_id),
        "labels": list(first.options.incidents.labels) or ["incident"],
        "since": first.begin.isoformat(),
    }
    try:
        answer = asking.query(queries.SIZES, variables)
    except (Forbidden, Gone, TooHeavy):
        return Estimate(repositories=len(places))
    found = [node for node in answer.data.get("nodes") or () if node]
    pages = [_pages(node, by_id[node["id"]]) for node in found if node["id"] in by_id]
    return Estimate(
        repositories=len(places),
        requests=sum(graphql + rest for graphql, rest in pages),
        points=sum(graphql for graphql, _ in pages),
    )


def _pages(node: Node, place: Place) -> tuple[int, int]:
    """How many pages of GraphQL and of REST a repository is."""
    share = _share(node, place)
    branch: Node = node.get("defaultBranchRef") or {}
    commits = ((branch.get("target") or {}).get("history") or {}).get("totalCount") or 0
    graphql = ceil(commits / FULL) + ceil(_count(node, "pullRequests") * share / LARGEST)
    if place.rules_from("environments"):
        graphql += ceil(_count(node, "deployments") * share / LARGEST)
    if place.has_incidents:
        graphql += ceil(_count(node, "issues") * share / LARGEST)
    runs = place.options.runs or place.rules_from("workflow")
    return graphql, ceil(commits * _RUNS_PER_COMMIT / FULL) + 1 if runs else 0


def _share(node: Node, place: Place) -> float:
    """The share of a repository's life that is collected."""
    born = instant(node.get("createdAt"))
    if born is None or born >= place.begin:
        return 1.0
    return (place.now - place.begin) / (place.now - born)


def _count(node: Node, name: str) -> int:
    found: Node = node.get(name) or {}
    return int(found.get("totalCount") or 0)
