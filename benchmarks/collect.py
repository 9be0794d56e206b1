"""The cost of collecting GitHub, in requests and points, for organisations of several sizes.

    PYTHONPATH=tests python benchmarks/collect.py
    PYTHONPATH=tests python benchmarks/collect.py --mirror /some/mirror.git

A made-up organisation is served by the simulated GitHub, which counts points by GitHub's
published formula, and collected by the collector that everybody uses, into a store. The seeds
are fixed; only the seconds differ from run to run. A bare mirror with `refs/pull` is served as
the GitHub of its repository.
"""

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from github_server.answer import Request
from github_server.execution import read_query
from github_server.from_mirror import mirrored
from github_server.from_records import world_of
from github_server.points import price
from github_server.server import SimulatedGitHub
from github_server.world import Repo, World

from vpemetrics.config.load import FILE_NAME, Configuration, load
from vpemetrics.config.sources import configured_sources
from vpemetrics.demo.blueprint import Blueprint
from vpemetrics.demo.organisation import records_of
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect

OWNER: Final = "example"
SIZES: Final = ((1, 5000), (20, 5000), (500, 5000), (500, 15000))
"""Repositories, and merged pull requests in all of them together."""
ENDS: Final = date(2026, 9, 7)
HOURLY: Final = 5000
"""Points, and requests to REST, that GitHub gives a token in an hour."""

PARTS: Final = {
    "Look": "looks",
    "Sizes": "looks",
    "Find": "looks",
    "History": "commits",
    "Touching": "commits",
    "Pulls": "pull requests",
    "PullCommits": "pull requests",
    "PullEvents": "pull requests",
    "Deployments": "deployments",
    "Statuses": "deployments",
    "Issues": "incidents",
    "IssueEvents": "incidents",
    "IssueComments": "incidents",
    "Refetch": "what is open",
    "REST": "runs (REST)",
}
"""The purposes of the queries, by their names."""


@dataclass(kw_only=True)
class Cost:
    """Requests and points of one collection, by what they are for."""

    seconds: float
    requests: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS.values(), 0))
    points: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS.values(), 0))
    said: str = ""

    def add(self, request: Request) -> None:
        """Counts one request."""
        part = PARTS[_name(request)]
        self.requests[part] += 1
        if request.is_graphql:
            self.points[part] += price(
                read_query(request.body["query"], request.body["variables"])
            ).points

    @property
    def rest(self) -> int:
        """Requests that are no queries."""
        return self.requests[PARTS["REST"]]

    @property
    def total(self) -> str:
        """All requests, and points."""
        return f"{sum(self.requests.values()):,} ({sum(self.points.values()):,})"

    def of(self, part: str) -> str:
        """Requests, and points, of a part."""
        if part == PARTS["REST"]:
            return f"{self.rest:,}"
        return f"{self.requests[part]:,} ({self.points[part]:,})"


class Collecting:
    """A GitHub that is collected again and again into the same store."""

    def __init__(self, world: World, repositories: str, folder: Path, begin: datetime) -> None:
        """Nothing was collected yet; the clock stands at the beginning."""
        self.world = world
        self.now = begin
        self._repositories = repositories
        self._folder = folder

    def cost(self, later: timedelta = timedelta()) -> Cost:
        """The cost of one more collection, so much later."""
        self.now += later
        said: list[str] = []
        with (
            SimulatedGitHub(self.world, clock=lambda: self.now) as github,
            Store.open(self._folder / "benchmark.db") as store,
        ):
            configuration = self._configured(github.url)
            (source,) = configured_sources(configuration)
            begin = time.perf_counter()
            result = collect(
                store,
                source,
                configuration.rules(),
                clock=lambda: self.now,
                warn=said.append,
                progress=lambda _done, _of: None,
                environ={"GITHUB_TOKEN": "made-up"},
            )
            cost = Cost(seconds=time.perf_counter() - begin, said=" ".join(said))
            for request in github.log:
                cost.add(request)
        if result.error:
            raise result.bug or RuntimeError(result.error)
        return cost

    def _configured(self, url: str) -> Configuration:
        file = self._folder / FILE_NAME
        file.write_text(
            f"[sources.github]\n"
            f'type = "github"\n'
            f'url = "{url}"\n'
            f'token = "env:GITHUB_TOKEN"\n'
            f'repositories = ["{self._repositories}"]\n'
            f'incidents = {{ labels = ["incident"], repositories = ["{OWNER}/incidents"] }}\n',
            encoding="utf-8",
        )
        return load(file, {})


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Four collections: of everything, of nothing new, of one new pull request, a day later."""

    title: str
    repositories: int
    merged: int
    first: Cost
    quiet: Cost
    one: Cost
    day: Cost


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Count what collecting GitHub costs.")
    parser.add_argument("--mirror", type=Path, help="a bare mirror to be served instead")
    mirror: Path | None = parser.parse_args().mirror
    measured = [of_mirror(mirror)] if mirror else [made_up(*size) for size in SIZES]
    for table in (overview, first_collection, later_collections):
        print("\n".join(table(measured)), end="\n\n")


def made_up(repositories: int, merged: int) -> Measured:
    """An organisation of a year with so many repositories and merged pull requests."""
    plan = Blueprint(
        services=tuple(f"service-{number:03d}" for number in range(1, repositories + 1)),
        ends=ENDS,
        weeks=52,
        commits=round(3.6 * merged),
        changes=merged,
        deployments=merged // 2,
        incidents=merged // 50,
        account=OWNER,
    )
    world = world_of(records_of(plan, source="github"), incidents_in=f"{OWNER}/incidents")
    return measure(
        f"{repositories} × {merged // repositories:,}", world, f"{OWNER}/*", plan.covered[1]
    )


def of_mirror(path: Path) -> Measured:
    """The repository of a mirror, as far as git knows what happened."""
    name = f"{OWNER}/mirror"
    world = mirrored(path, name)
    (repo,) = world.repositories.values()
    world.repository(f"{OWNER}/incidents")
    latest = max(one.committer.date for one in repo.commits.values())
    return measure("mirror", world, name, latest)


def measure(title: str, world: World, repositories: str, end: datetime) -> Measured:
    """The four collections of a world at whose end nothing goes on."""
    with TemporaryDirectory() as folder:
        collecting = Collecting(world, repositories, Path(folder), end + timedelta(hours=6))
        first = collecting.cost()
        quiet = collecting.cost(timedelta(hours=1))
        repo = next(one for one in world.repositories.values() if one.pulls)
        happen(repo, collecting.now + timedelta(minutes=20))
        one = collecting.cost(timedelta(hours=1))
        day = collecting.cost(timedelta(days=1))
    begin = end - timedelta(weeks=53)
    merged = [
        pull.merged_at
        for repo in world.repositories.values()
        for pull in repo.pulls.values()
        if pull.merged_at and begin <= pull.merged_at < end
    ]
    return Measured(
        title=title,
        repositories=len(world.repositories),
        merged=len(merged),
        first=first,
        quiet=quiet,
        one=one,
        day=day,
    )


def happen(repo: Repo, at: datetime) -> None:
    """A pull request is opened, merged, tested and deployed."""
    ada, minute = repo.world.account("ada"), timedelta(minutes=1)
    work = repo.commit("Work", author=ada, at=at, branch="work", parents=[repo.tip or ""])
    pull = repo.open_pull("Work", author=ada, commits=[work.oid], at=at, head="work")
    repo.review(pull, "APPROVED", by=repo.world.account("bob"), at=at + minute)
    merged = repo.merge(pull, at=at + 2 * minute)
    run = repo.start_run("tests", merged.oid, at=at + 2 * minute)
    repo.finish_run(run, "success", at=at + 5 * minute)
    made = repo.deploy(merged.oid, "production", at=at + 6 * minute, by=ada)
    repo.say(made, "SUCCESS", at=at + 8 * minute)


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def overview(measured: list[Measured]) -> Iterator[str]:
    """The first collection in a line, with what was said of it before."""
    yield row(
        "organisation",
        "repositories",
        "merged pull requests",
        "pull requests' points per 1,000",
        "requests (points) in all",
        "announced",
        "of an hour's points",
        "seconds here",
    )
    yield row("---", *["---:"] * 7)
    for one in measured:
        points = sum(one.first.points.values())
        yield row(
            one.title,
            f"{one.repositories:,}",
            f"{one.merged:,}",
            f"{1000 * one.first.points['pull requests'] / one.merged:.1f}",
            one.first.total,
            announced(one.first.said),
            f"{points / HOURLY:.0%}",
            f"{one.first.seconds:.0f}",
        )


def announced(said: str) -> str:
    """The requests and points that a collection announced; short ones say nothing."""
    found = re.search(r"([\d,]+) requests and ([\d,]+) GraphQL points", said)
    return f"{found[1]} ({found[2]})" if found else "–"


def first_collection(measured: list[Measured]) -> Iterator[str]:
    """The requests and points of the first collection, by their purpose."""
    parts = dict.fromkeys(PARTS.values())
    yield row("first collection: requests (points)", *(one.title for one in measured))
    yield row("---", *["---:"] * len(measured))
    for part in parts:
        yield row(part, *(one.first.of(part) for one in measured))
    yield row("in all", *(one.first.total for one in measured))


def later_collections(measured: list[Measured]) -> Iterator[str]:
    """The cost of the following collections."""
    yield row("later collections: requests (points)", *(one.title for one in measured))
    yield row("---", *["---:"] * len(measured))
    yield row("an hour later, nothing new", *(one.quiet.total for one in measured))
    yield row("one more merged and deployed", *(one.one.total for one in measured))
    yield row("a day later, nothing new", *(one.day.total for one in measured))


def _name(request: Request) -> str:
    """The name of a query."""
    if not request.is_graphql:
        return "REST"
    found = re.search(r"query (\w+)", request.body["query"])
    return found[1] if found else ""


if __name__ == "__main__":
    main()
