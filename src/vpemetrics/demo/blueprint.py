"""The size of a made-up organisation, and its names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import prod

from vpemetrics.demo.hours import HOUR, moment, seconds_of
from vpemetrics.demo.mainline import Joining

PEOPLE_PER_TEAM = 8


@dataclass(frozen=True, kw_only=True)
class Lull:
    """Dates, half-open, on which less is merged, or less of it goes out: parts of the usual.

    `services` are those whose releases it holds back; empty are all.
    """

    start: date
    end: date
    merges: float = 1.0
    releases: float = 1.0
    services: frozenset[str] = frozenset()

    def is_at(self, at: int) -> bool:
        """Tell whether a wall-clock second lies within."""
        return seconds_of(self.start) <= at < seconds_of(self.end)


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """The size and shape of an organisation; the same blueprint always makes the same records.

    `commits`, `changes`, `deployments` (successful production ones) and `incidents` are aims
    for the whole organisation: chance keeps within a few percent of them.
    Every service has a repository of its own, or all share one if `monorepo`.
    Services named in `two_regions` reach two production environments.
    `owners` and `weights` say which team a service has and how much work goes into it, where
    that is not to be by turns; `joining` how branches join, where that is always the same way.
    The aims are those of a time without `lulls`. `coding` is how many working minutes a change
    usually takes before it is ready for review.
    `patterned` are services that are a part of their repository, beside its `docs`; with `rare`
    there are picks, back-ports to release branches and merges of several branches at once.
    """

    services: tuple[str, ...]
    ends: date
    weeks: int
    commits: int
    changes: int
    deployments: int
    incidents: int
    seed: int = 1
    teams: int = 2
    monorepo: bool = False
    two_regions: frozenset[str] = frozenset()
    organisation: str = "Example engineering"
    account: str = "example"
    monorepo_name: str = "everything"
    owners: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    joining: Joining | None = None
    lulls: tuple[Lull, ...] = ()
    coding: float = 300
    patterned: frozenset[str] = frozenset()
    rare: bool = False

    def __post_init__(self) -> None:
        if self.ends.weekday() or self.weeks < 1:
            raise ValueError(
                f"a blueprint ends on a Monday, after whole weeks: {self.ends:%a %d %b}"
            )
        if self.commits < 2.5 * self.changes:
            raise ValueError("a change needs 2.5 commits on average, its merge among them")
        if self.deployments > self.changes:
            raise ValueError("a blueprint deploys at most once for each change")

    @property
    def starts_at(self) -> int:
        """The wall-clock second at which the organisation begins."""
        return seconds_of(self.ends - timedelta(weeks=self.weeks))

    @property
    def ends_at(self) -> int:
        """The wall-clock second up to which everything is known: early on the last Monday."""
        return seconds_of(self.ends) + 6 * HOUR

    @property
    def covered(self) -> tuple[datetime, datetime]:
        """The half-open stretch of time the records cover."""
        return moment(self.starts_at), moment(self.ends_at)

    @property
    def repositories(self) -> dict[str, tuple[str, ...]]:
        """The services of every repository."""
        if self.monorepo:
            return {f"{self.account}/{self.monorepo_name}": self.services}
        return {f"{self.account}/{service}": (service,) for service in self.services}

    def has_paths(self, repository: str) -> bool:
        """Tell whether the commits of a repository say what they touch."""
        return self.monorepo or not self.patterned.isdisjoint(self.repositories[repository])

    def team(self, service: str) -> str:
        """The team that owns a service."""
        if service in self.owners:
            return self.owners[service]
        return f"team-{'abcdefghijklmnopqrstuvwxyz'[self.services.index(service) % self.teams]}"

    def share(self, service: str) -> float:
        """The part of all work that goes into a service; some get five times as much as others."""
        if self.weights:
            return self.weights[service] / sum(self.weights.values())
        weights = [5 - index % 5 for index in range(len(self.services))]
        return weights[self.services.index(service)] / sum(weights)

    def merging(self, at: int) -> float:
        """The part of the usual work that is merged at a wall-clock second."""
        return prod(lull.merges for lull in self.lulls if lull.is_at(at))

    def releasing(self, service: str, at: int) -> float:
        """The part of a service's usual releases that go out at a wall-clock second."""
        return prod(
            lull.releases
            for lull in self.lulls
            if lull.is_at(at) and (not lull.services or service in lull.services)
        )


def configuration(blueprint: Blueprint) -> str:
    """The blueprint's services, owners and paths as a configuration file."""
    head = f'[organisation]\nname = "{blueprint.organisation}"\ntimezone = "UTC"\n'
    return "\n".join(
        [
            head,
            *(
                _service(blueprint, repository, service)
                for repository, services in blueprint.repositories.items()
                for service in services
            ),
        ]
    )


def _service(blueprint: Blueprint, repository: str, service: str) -> str:
    lines = ["[[service]]", f'name = "{service}"', f'team = "{blueprint.team(service)}"']
    if blueprint.has_paths(repository):
        lines += [f'repository = "{repository}"', f'paths = ["services/{service}/**", "shared/**"]']
    return "\n".join([*lines, ""])
