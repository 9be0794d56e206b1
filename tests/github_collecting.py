"""Collects from a simulated GitHub, keeping what one collection leaves for the next."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from github_server.faults import Faults
from github_server.server import SimulatedGitHub
from github_server.world import World

from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.github.collect import collect
from vpemetrics.collectors.github.options import Options
from vpemetrics.records import AnyRecord, Commit, Coverage, CoverageKind
from vpemetrics.rules import Rules

TOKEN = "ghp_example"
Kind = TypeVar("Kind", bound=AnyRecord)


@dataclass(kw_only=True)
class Collected:
    """What collections of a simulated GitHub told so far, and what the last one cost.

    `records` are all by kind and key; `told` those of the last collection.
    """

    github: SimulatedGitHub
    now: datetime
    settings: dict[str, Any]
    rules: Rules = field(default_factory=Rules)
    cursors: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], AnyRecord] = field(default_factory=dict)
    told: list[AnyRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    points: int = 0

    def collect(self, later: timedelta = timedelta(hours=1), **settings: Any) -> "Collected":
        """One more collection, so much later; all of it."""
        for _ in self.batches(later, **settings):
            pass
        return self

    def batches(self, later: timedelta = timedelta(hours=1), **settings: Any) -> Generator[Batch]:
        """One more collection, a batch at a time; each is kept before it is given."""
        self.now += later
        self.told, self.warnings, self.left_out = [], [], {}
        requests, points = self.github.requests, self.github.points
        asked = {"url": self.github.url, **self.settings, **settings}
        options = Options(token="env:TOKEN", **asked)
        context = CollectionContext(
            source="github",
            now=self.now,
            cursors=dict(self.cursors),
            rules=self.rules,
            warn=self.warnings.append,
            announce=self.warnings.append,
            secret=lambda _reference: TOKEN,
            leave_out=self.left_out.__setitem__,
        )
        try:
            for batch in collect(options, context):
                self._keep(batch)
                yield batch
        finally:
            self.requests = self.github.requests - requests
            self.points = self.github.points - points

    def of(self, kind: type[Kind]) -> dict[str, Kind]:
        """All records of a kind by their keys."""
        return {key: one for (_, key), one in self.records.items() if isinstance(one, kind)}

    def new(self, kind: type[Kind]) -> dict[str, Kind]:
        """Those of the last collection."""
        return {one.key: one for one in self.told if isinstance(one, kind)}

    @property
    def commits(self) -> dict[str, Commit]:
        """All commits by their shas, which no two repositories share here."""
        return {one.sha: one for one in self.of(Commit).values()}

    @property
    def new_commits(self) -> dict[str, Commit]:
        """Those of the last collection."""
        return {one.sha: one for one in self.new(Commit).values()}

    def fresh(self) -> "Collected":
        """The same GitHub, of which nothing was collected yet."""
        return replace(self, cursors={}, records={}, told=[], warnings=[], left_out={})

    def _keep(self, batch: Batch) -> None:
        told = list(batch.records)
        self.told += told
        self.records.update({(one.KIND, one.key): one for one in told})
        self.cursors.update(batch.cursors)


@contextmanager
def collecting(
    world: World,
    now: datetime,
    *,
    faults: Faults | None = None,
    rules: Rules | None = None,
    **settings: Any,
) -> Iterator[Collected]:
    """Nothing is collected yet of a world at a moment."""
    settings = {"repositories": ("acme/*",), "runs": False, **settings}
    with SimulatedGitHub(world, faults=faults) as github:
        yield Collected(github=github, now=now, settings=settings, rules=rules or Rules())


def span(found: Collected, kind: CoverageKind, scope: str) -> list[tuple[datetime, datetime]]:
    """The stretches of time for which facts of a kind are known in a scope."""
    return [
        (one.start, one.end)
        for one in found.of(Coverage).values()
        if (one.kind, one.scope) == (kind, scope)
    ]
