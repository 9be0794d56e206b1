"""What a first collection will cost, before it begins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.asking import Asking
from vpemetrics.collectors.github.commit_history import BEFORE, prefixes
from vpemetrics.collectors.github.connections import DEPLOYMENTS, ISSUES, LISTINGS, PULLS
from vpemetrics.collectors.github.paging import FULL
from vpemetrics.collectors.github.parse.naming import Node, instant
from vpemetrics.collectors.github.problems import Forbidden, Gone, TooHeavy
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.collectors.github.workflow_runs import CAP

_AT_ONCE: Final = 20
_SECONDS: Final = 1.5
"""How long GitHub takes for a page, as a rule."""
_COUNTED: Final = 5
"""Of how many repositories the runs are counted, which takes a request each."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Requests and points, the requests among them that are REST, and how long it takes.

    GitHub counts what there is, but only commits since a date: of the rest the share is supposed
    to be of that time that the commits of that time are of all commits. Workflow runs are counted
    where there are most commits, and supposed to be as many for each commit elsewhere.
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


@dataclass(frozen=True, kw_only=True)
class _Size:
    """How much there is of a repository."""

    target: RepositoryTarget
    node: Node

    @property
    def commits(self) -> int:
        """The commits that are collected."""
        return self._committed("late")

    @property
    def has_runs(self) -> bool:
        """Whether workflow runs are collected."""
        return bool(self.target.options.runs or self.target.rules_from("workflow"))

    def late(self, connection: str) -> float:
        """How many of a list are supposed to be collected."""
        found: Node = self.node.get(connection) or {}
        return int(found.get("totalCount") or 0) * max(self._share, self._share_since(found))

    @property
    def _share(self) -> float:
        every = self._committed("every")
        return self.commits / every if every else 1.0

    def _share_since(self, connection: Node) -> float:
        """The share of the time since the first of a list that is collected."""
        first: Node = next((one for one in connection.get("nodes") or () if one), {})
        born, target = instant(first.get("createdAt")), self.target
        if born is None:
            return 0.0
        return min(1.0, (target.now - target.begin) / max(target.now - born, timedelta(seconds=1)))

    def _committed(self, name: str) -> int:
        branch: Node = self.node.get("defaultBranchRef") or {}
        target: Node = branch.get("target") or {}
        return int((target.get(name) or {}).get("totalCount") or 0)


def estimate(asking: Asking, targets: Sequence[RepositoryTarget]) -> Estimate:
    """The cost of collecting some repositories of one account for the first time."""
    starts = range(0, len(targets), _AT_ONCE)
    sizes = [one for at in starts for one in _sizes(asking, targets[at : at + _AT_ONCE])]
    points = sum(map(_queries, sizes))
    runs = _runs(asking, [one for one in sizes if one.has_runs])
    requests = points + sum(map(_pages_of_runs, runs.values()))
    return Estimate(repositories=len(targets), requests=requests, points=points)


def _sizes(asking: Asking, targets: Sequence[RepositoryTarget]) -> Iterator[_Size]:
    by_id = {target.probe.id: target for target in targets}
    first = targets[0]
    variables = {
        "ids": list(by_id),
        "labels": list(first.options.incidents.labels) or ["incident"],
        "since": (min(target.begin for target in targets) - BEFORE).isoformat(),
    }
    try:
        answer = asking.query(queries.SIZES, variables)
    except (Forbidden, Gone, TooHeavy):
        return
    for node in answer.data.get("nodes") or ():
        if node and node["id"] in by_id:
            yield _Size(target=by_id[node["id"]], node=node)


def _queries(size: _Size) -> int:
    """How many pages of GraphQL a repository is, each of which costs a point."""
    target = size.target
    pages = _pages(size.late("pullRequests"), LISTINGS[PULLS].listing.largest)
    if not target.options.clone:
        paths = prefixes(target.paths)
        pages += _pages(size.commits, FULL) * (2 if paths else 1) + len(paths)
    if target.rules_from("environments"):
        pages += _pages(size.late("deployments"), LISTINGS[DEPLOYMENTS].listing.largest)
    if target.has_incidents:
        pages += _pages(size.late("issues"), LISTINGS[ISSUES].listing.largest)
    return pages


def _pages(count: float, size: int) -> int:
    return ceil(count / size)


def _runs(asking: Asking, sizes: Sequence[_Size]) -> Mapping[str, float]:
    """How many workflow runs repositories are supposed to have, by their ids."""
    busiest = sorted(sizes, key=lambda one: one.commits, reverse=True)[:_COUNTED]
    counted = {one.target.probe.id: _count_of_runs(asking, one.target) for one in busiest}
    commits = sum(one.commits for one in busiest)
    often = sum(counted.values()) / commits if commits else 0.0
    supposed = {one.target.probe.id: one.commits * often for one in sizes}
    return {**supposed, **counted}


def _count_of_runs(asking: Asking, target: RepositoryTarget) -> int:
    try:
        found = asking.get(f"/repos/{target.probe.name}/actions/runs", {"per_page": 1})
    except (Forbidden, Gone, TooHeavy):
        return 0
    return int(found.get("total_count") or 0)


def _pages_of_runs(runs: float) -> int:
    """At least one; what GitHub does not give at once is found in windows that are tried out."""
    windows = _pages(runs, CAP)
    return max(1, _pages(runs, FULL)) + (2 * windows if windows > 1 else 0)
