"""The way of a service to its environments: staging, then production, not always at once."""

from collections import deque
from collections.abc import Iterator

from vpemetrics.demo.blueprint import Blueprint
from vpemetrics.demo.dice import Dice
from vpemetrics.demo.hours import HOUR, moment
from vpemetrics.records import Deployment, Status

ROLLED_BACK = 0.006
UNKNOWN_COMMIT = 0.005
LATE_REGION = 0.04
TWO_REGIONS = ("production-eu", "production-us")
APART = 30  # seconds between two finishes of a queue


class Pipeline:
    """Deploys one service; `live` holds the last commits in production, newest at the end."""

    def __init__(self, blueprint: Blueprint, repository: str, service: str, dice: Dice) -> None:
        self.service = service
        self.live: deque[str] = deque(maxlen=2)
        self.production = TWO_REGIONS if service in blueprint.two_regions else ("production",)
        self._repository = repository
        self._dice = dice
        self._runs = 0
        self._free_at: dict[str, int] = {}
        self._ends_at = blueprint.ends_at

    def fail(self, sha: str, at: int) -> Iterator[Deployment]:
        """An attempt that ends before it reaches production."""
        status = Status.FAILED if self._dice.chance(0.7) else Status.CANCELLED
        yield from self._run(self.production[0], sha, at, at + self._dice.minutes(8), status)

    def release(self, sha: str, at: int, *, hotfix: bool = False) -> Iterator[Deployment]:
        """A commit goes to staging and on to production."""
        staged = self._in_turn("staging", at + self._dice.minutes(6, 0.4))
        yield from self._run("staging", sha, at, staged, Status.SUCCEEDED)
        started = staged + self._dice.minutes(2, 0.4)
        if self._dice.chance(ROLLED_BACK):
            ended = started + self._dice.minutes(9, 0.4)
            yield from self._run(self.production[0], sha, started, ended, Status.ROLLED_BACK)
            return
        yield from self.produce(sha, started, hotfix=hotfix)

    def produce(
        self, sha: str, at: int, *, hotfix: bool = False, rollback: bool = False
    ) -> Iterator[Deployment]:
        """A commit goes to every production environment, one after the other."""
        if not self.live or self.live[-1] != sha:
            self.live.append(sha)
        for environment in self.production:
            finished = self._in_turn(environment, at + self._dice.minutes(5, 0.4))
            yield from self._run(
                environment, sha, at, finished, Status.SUCCEEDED, hotfix=hotfix, rollback=rollback
            )
            late = 4 * HOUR if self._dice.chance(LATE_REGION) else 0
            at = finished + late + self._dice.minutes(4, 0.4)

    def _in_turn(self, environment: str, finished: int) -> int:
        finished = max(finished, self._free_at.get(environment, 0) + APART)
        self._free_at[environment] = finished
        return finished

    def _run(
        self,
        environment: str,
        sha: str,
        started: int,
        finished: int,
        status: Status,
        *,
        hotfix: bool = False,
        rollback: bool = False,
    ) -> Iterator[Deployment]:
        if started >= self._ends_at:
            return
        self._runs += 1
        running = finished >= self._ends_at
        yield Deployment(
            id=f"{self.service}/{self._runs}",
            service=self.service,
            repository=self._repository,
            environment=environment,
            status=Status.IN_PROGRESS if running else status,
            commit_sha=None if self._dice.chance(UNKNOWN_COMMIT) else sha,
            version=sha[:7],
            started_at=moment(started),
            finished_at=None if running else moment(finished),
            hotfix=hotfix or None,
            rollback=rollback or None,
        )
