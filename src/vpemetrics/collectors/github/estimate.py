"""The cost of a first collection, before it begins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.commit_history import BEFORE, prefixes
from vpemetrics.collectors.github.connections import CONNECTIONS, DEPLOYMENTS, FULL, ISSUES, PULLS
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.collectors.github.workflow_runs import CAP
from vpemetrics.collectors.http import (
    Node,
    SourceProblem,
    as_object,
    count,
    moment,
    need,
    part,
    parts,
    read_shape,
)

_AT_ONCE: Final = 20
_SECONDS: Final = 1.5
"""The time that GitHub takes for a page, as a rule."""
_COUNTED: Final = 5
"""The number of repositories whose runs are counted, which takes a request each."""


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
        """The time it takes one after the other."""
        return timedelta(seconds=self.requests * _SECONDS)


@dataclass(frozen=True, kw_only=True)
class _RepositorySize:
    """The number of things there are in a repository."""

    target: RepositoryTarget
    node: Node

    @property
    def commits(self) -> int:
        """The commits that are collected."""
        return self._commit_count("late")

    @property
    def has_runs(self) -> bool:
        """True if workflow runs are collected."""
        return bool(self.target.options.runs or self.target.rules_from("workflow"))

    def late(self, connection: str) -> float:
        """The number of things on a list that are supposed to be collected."""
        counted = part(self.node, connection)
        return count(counted, "totalCount") * max(self._share, self._share_since(counted))

    @property
    def _share(self) -> float:
        every = self._commit_count("every")
        return self.commits / every if every else 1.0

    def _share_since(self, connection: Node) -> float:
        """The share of the time since the first of a list that is collected."""
        first: Node = next(iter(parts(connection, "nodes")), {})
        born, target = moment(first, "createdAt"), self.target
        if born is None:
            return 0.0
        return min(1.0, (target.now - target.begin) / max(target.now - born, timedelta(seconds=1)))

    def _commit_count(self, name: str) -> int:
        target = part(part(self.node, "defaultBranchRef"), "target")
        return count(part(target, name), "totalCount")


def estimate(client: Client, targets: Sequence[RepositoryTarget]) -> Estimate:
    """The cost of collecting some repositories of one account for the first time."""
    about = "how much there is to collect"
    return read_shape(lambda: _estimate(client, targets), server="GitHub", about=about)


def _estimate(client: Client, targets: Sequence[RepositoryTarget]) -> Estimate:
    starts = range(0, len(targets), _AT_ONCE)
    sizes = [size for at in starts for size in _sizes(client, targets[at : at + _AT_ONCE])]
    points = sum(map(_queries, sizes))
    runs = _runs(client, [size for size in sizes if size.has_runs])
    requests = points + sum(map(_pages_of_runs, runs.values()))
    return Estimate(repositories=len(targets), requests=requests, points=points)


def _sizes(client: Client, targets: Sequence[RepositoryTarget]) -> Iterator[_RepositorySize]:
    by_id = {target.probe.id: target for target in targets}
    first = targets[0]
    variables = {
        "ids": list(by_id),
        "labels": list(first.options.incidents.labels) or ["incident"],
        "since": (min(target.begin for target in targets) - BEFORE).isoformat(),
    }
    try:
        answer = client.query(queries.SIZES, variables)
    except SourceProblem as problem:
        if problem.concerns_all:
            raise
        return
    for node in parts(answer.data, "nodes"):
        if target := by_id.get(need(node, "id", str)):
            yield _RepositorySize(target=target, node=node)


def _queries(size: _RepositorySize) -> int:
    """The number of pages of GraphQL a repository is, each of which costs a point."""
    target = size.target
    pages = _pages(size.late("pullRequests"), CONNECTIONS[PULLS].largest)
    if not target.options.clone:
        paths = prefixes(target.paths)
        pages += _pages(size.commits, FULL) * (2 if paths else 1) + len(paths)
    if target.rules_from("environments"):
        pages += _pages(size.late("deployments"), CONNECTIONS[DEPLOYMENTS].largest)
    if target.has_incidents:
        pages += _pages(size.late("issues"), CONNECTIONS[ISSUES].largest)
    return pages


def _pages(things: float, size: int) -> int:
    return ceil(things / size)


def _runs(client: Client, sizes: Sequence[_RepositorySize]) -> Mapping[str, float]:
    """The number of workflow runs that repositories are supposed to have, by their ids."""
    busiest = sorted(sizes, key=lambda size: size.commits, reverse=True)[:_COUNTED]
    counted = {size.target.probe.id: _count_of_runs(client, size.target) for size in busiest}
    commits = sum(size.commits for size in busiest)
    often = sum(counted.values()) / commits if commits else 0.0
    supposed = {size.target.probe.id: size.commits * often for size in sizes}
    return {**supposed, **counted}


def _count_of_runs(client: Client, target: RepositoryTarget) -> int:
    try:
        page = client.get(f"/repos/{target.probe.name}/actions/runs", {"per_page": 1})
    except SourceProblem as problem:
        if problem.concerns_all:
            raise
        return 0
    return count(as_object(page, "all of it"), "total_count")


def _pages_of_runs(runs: float) -> int:
    """The pages of so many runs, at least one; windows are tried out where there are too many."""
    windows = _pages(runs, CAP)
    return max(1, _pages(runs, FULL)) + (2 * windows if windows > 1 else 0)
