"""The life of one repository: work is merged, goes out, breaks now and then, and is mended."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle

from vpemetrics.demo.blueprint import Blueprint
from vpemetrics.demo.dice import Dice
from vpemetrics.demo.event_queue import EventQueue
from vpemetrics.demo.hours import (
    DAY,
    HOUR,
    MINUTE,
    WORKING_WEEK,
    moment,
    second_of,
    wall,
    working,
)
from vpemetrics.demo.mainline import Mainline
from vpemetrics.demo.pipeline import Pipeline
from vpemetrics.demo.release_branches import ReleaseBranches
from vpemetrics.demo.trouble import (
    STORIES,
    Course,
    Mending,
    ShippedWork,
    Story,
    course_of,
    incident_of,
)
from vpemetrics.demo.workshop import DIRECT, MergedWork, Purpose, Workshop
from vpemetrics.records import AnyRecord, Repository, Run, Status

ABANDONED = 0.04
TWO_SERVICES = 0.1
SHARED = 0.05
SLOW_BUILDS = 0.03
FAILED_ATTEMPTS = 0.05
REDEPLOYED = 0.015
REVERTED_QUIETLY = 0.006
DOCUMENTED = 0.1
OCTOPUSES = 0.01
BACKPORTED = 0.02
PICKED = 0.01
UNPLANNED = 0.05  # deployments that follow from trouble, as a part of all


class RepositoryLife:
    """Everything that happens in one repository and to the services built from it."""

    def __init__(self, blueprint: Blueprint, number: int) -> None:
        self._blueprint = blueprint
        self._name, self._services = list(blueprint.repositories.items())[number]
        self._number = number
        self._dice = Dice(f"{blueprint.seed}/{self._name}")
        self._rare = Dice(f"{blueprint.seed}/{self._name}/rare") if blueprint.rare else None
        nothing = () if blueprint.has_paths(self._name) else None
        self._mainline = Mainline(self._name, self._dice, blueprint.starts_at - DAY, nothing)
        self._workshop = Workshop(blueprint, self._name, self._mainline, self._dice)
        self._releases = ReleaseBranches(self._mainline, self._workshop)
        self._events = EventQueue(self._merge_times(), self._merge)
        self._pipelines = {
            service: Pipeline(blueprint, self._name, service, self._dice)
            for service in self._services
        }
        self._weights = [blueprint.share(service) for service in self._services]
        self._stories = cycle(
            [*STORIES[number % len(STORIES) :], *STORIES[: number % len(STORIES)]]
        )
        self._incidents = 0

    def records(self) -> Iterator[AnyRecord]:
        """All records of the repository, roughly in the order in which they came about."""
        yield Repository(id=self._name, name=self._name, default_branch="main")
        yield self._mainline.root
        yield from self._events.run(self._blueprint.ends_at)

    def _merge_times(self) -> list[int]:
        """Moments within working hours, some of them a week after the records end."""
        first = working(self._blueprint.starts_at)
        length = self._blueprint.weeks * WORKING_WEEK
        share = sum(self._blueprint.share(service) for service in self._services)
        merges = self._blueprint.changes * share / (1 - ABANDONED)
        per_second = merges / length
        length += WORKING_WEEK
        drawn = (
            wall(first + int(self._dice.random() * length))
            for _ in range(round(per_second * length))
        )
        return [at for at in drawn if self._dice.keeps(self._blueprint.merging(at))]

    def _merge(self, at: int) -> Iterator[AnyRecord]:
        services = self._touched_services()
        places = tuple(f"services/{service}" for service in services) or ("shared",)
        if self._happens(DOCUMENTED) and not self._blueprint.patterned.isdisjoint(services):
            places = ("docs",)
        if at >= self._blueprint.ends_at:
            still_open = self._workshop.leave_open(at, places, self._blueprint.ends_at)
            yield from [still_open] if still_open else []
            return
        if self._dice.chance(ABANDONED):
            yield self._workshop.abandon(at, places)
            return
        if self._dice.chance(DIRECT):
            yield self._workshop.commit_directly(at, places)
        work = self._workshop.merge(at, places, branches=3 if self._happens(OCTOPUSES) else 1)
        yield from self._built(work, at)
        yield from self._rarities(work, at)
        for service in services:
            if self._dice.chance(self._release_rate() * self._blueprint.releasing(service, at)):
                delay = self._dice.minutes(70 if self._dice.chance(SLOW_BUILDS) else 9, 0.3)
                self._events.later(at + delay, partial(self._release, service, work))

    def _happens(self, chance: float) -> bool:
        """Tell whether something rare does; its dice are its own, so that all else stays."""
        return self._rare is not None and self._rare.chance(chance)

    def _rarities(self, work: MergedWork, at: int) -> Iterator[AnyRecord]:
        """Now and then a change goes to a release branch too, or a repair comes back from it."""
        if self._happens(BACKPORTED):
            self._events.later(at + DAY, partial(self._releases.backport, work))
        if self._happens(PICKED):
            yield from self._releases.mend_there_first(work, at)

    def _touched_services(self) -> tuple[str, ...]:
        if not self._blueprint.monorepo:
            return self._services
        if self._dice.chance(SHARED):
            return ()
        touched = self._dice.choices(
            self._services, self._weights, k=2 if self._dice.chance(TWO_SERVICES) else 1
        )
        return tuple(dict.fromkeys(touched))

    def _release_rate(self) -> float:
        per_change = 1 - SHARED if self._blueprint.monorepo else 1.0
        if len(self._services) > 1:
            per_change *= 1 + TWO_SERVICES
        return (
            self._blueprint.deployments * (1 - UNPLANNED) / (self._blueprint.changes * per_change)
        )

    def _built(self, work: MergedWork, at: int) -> Iterator[AnyRecord]:
        yield from work.commits
        yield work.change
        finished = at + self._dice.minutes(7, 0.3)
        if finished < self._blueprint.ends_at:
            yield Run(
                id=f"{self._name}/{work.change.number}",
                repository=self._name,
                name="tests",
                attempt=1,
                commit_sha=work.sha,
                outcome="failure" if self._dice.chance(0.04) else "success",
                started_at=moment(at),
                finished_at=moment(finished),
            )

    def _release(
        self, service: str, work: MergedWork, at: int, *, hotfix: bool = False
    ) -> Iterator[AnyRecord]:
        pipeline = self._pipelines[service]
        if self._dice.chance(FAILED_ATTEMPTS):
            yield from pipeline.fail(work.sha, at)
            again = partial(self._release, service, work, hotfix=hotfix)
            self._events.later(at + self._dice.minutes(25, 0.5), again)
            return
        for deployment in pipeline.release(work.sha, at, hotfix=hotfix):
            yield deployment
            reached = deployment.environment == pipeline.production[0]
            if reached and deployment.status is Status.SUCCEEDED and deployment.finished_at:
                finished = second_of(deployment.finished_at)
                yield from self._aftermath(ShippedWork(work=work, deployment=deployment), finished)

    def _aftermath(self, release: ShippedWork, finished: int) -> Iterator[AnyRecord]:
        if self._dice.chance(self._blueprint.incidents / self._blueprint.deployments):
            yield from self._go_wrong(next(self._stories), release, finished)
        elif self._dice.chance(REVERTED_QUIETLY):
            purpose = Purpose(branch="revert", reverts=release.work)
            days_later = wall(working(finished) + self._dice.minutes(900, 0.5))
            self._events.later(days_later, partial(self._mend, purpose, release))
        elif self._dice.chance(REDEPLOYED):
            again = finished + HOUR + self._dice.minutes(120)
            self._events.later(again, partial(self._redeploy, release))

    def _redeploy(self, release: ShippedWork, at: int) -> Iterator[AnyRecord]:
        """The commit goes out once more, unless another has taken its place."""
        pipeline = self._pipeline_of(release)
        if pipeline.live[-1] == release.work.sha:
            yield from pipeline.produce(release.work.sha, at)

    def _go_wrong(self, story: Story, release: ShippedWork, finished: int) -> Iterator[AnyRecord]:
        course = course_of(story, finished, self._dice)
        if course.detected >= self._blueprint.ends_at:
            return
        self._incidents += 1
        name = f"INC-{self._number + 1}-{self._incidents}"
        yield incident_of(story, name, release, course, self._blueprint.ends_at, self._dice)
        self._plan_mending(story.mending, release, name, course)

    def _plan_mending(
        self, mending: Mending, release: ShippedWork, incident: str, course: Course
    ) -> None:
        soon = max(course.mitigated - 20 * MINUTE, course.detected)
        match mending:
            case Mending.ROLLBACK:
                self._roll_back_later(release, soon)
            case Mending.HOTFIX:
                purpose = Purpose(branch="hotfix", labels=("hotfix",))
                self._events.later(soon, partial(self._mend, purpose, release))
            case Mending.REVERT:
                purpose = Purpose(branch="revert", reverts=release.work)
                self._events.later(soon, partial(self._mend, purpose, release))
            case Mending.FIX:
                on_duty = wall(working(course.resolved) + self._dice.minutes(400, 0.6))
                purpose = Purpose(branch="fix", closes=(incident,))
                self._events.later(on_duty, partial(self._mend, purpose, release))
            case Mending.UNSEEN:
                pass

    def _roll_back_later(self, release: ShippedWork, at: int) -> None:
        live = self._pipeline_of(release).live
        if len(live) == 2:
            self._events.later(at, partial(self._roll_back, release, live[0]))

    def _roll_back(self, release: ShippedWork, target: str, at: int) -> Iterator[AnyRecord]:
        yield from self._pipeline_of(release).produce(target, at, rollback=True)

    def _mend(self, purpose: Purpose, release: ShippedWork, at: int) -> Iterator[AnyRecord]:
        """A change made for a reason is merged, and goes out at once."""
        service = release.deployment.service or self._services[0]
        work = self._workshop.merge(at, (f"services/{service}",), purpose)
        yield from self._built(work, at)
        hotfix = purpose.branch == "hotfix"
        at += self._dice.minutes(8, 0.3)
        self._events.later(at, partial(self._release, service, work, hotfix=hotfix))

    def _pipeline_of(self, release: ShippedWork) -> Pipeline:
        return self._pipelines[release.deployment.service or self._services[0]]
